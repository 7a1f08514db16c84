// Our flag table against a Go program's. Pure.
import { parseGoDuration } from '@holdfast/core';
import type { FlagSpec, FlagTable } from '@holdfast/sidecar';
import type { GoFlag, GoHelp } from './go-help.ts';

export interface FlagDifference {
  /** `--name`, or `gate Name`. */
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

export function flagDifferences(table: FlagTable, help: GoHelp): FlagDifference[] {
  const theirs = new Map(help.flags.map((flag) => [flag.name, flag]));
  const names = new Set([...theirs.keys(), ...Object.keys(table)]);
  return [
    ...[...names].flatMap((name) => flagDifference(`--${name}`, table[name], theirs.get(name))),
    ...gateDifferences(table, help),
  ];
}

function flagDifference(what: string, ours: FlagSpec | undefined, theirs: GoFlag | undefined): FlagDifference[] {
  if (ours === undefined || theirs === undefined) {
    return [{ what, ours: presence(ours), theirs: presence(theirs) }];
  }
  const typed = theirs.type !== undefined && theirs.type !== ours.type;
  if (typed) return [{ what, ours: ours.type, theirs: theirs.type ?? '' }];
  const [our, their] = [ourDefault(ours), theirDefault(ours, theirs)];
  return our === their ? [] : [{ what, ours: `default ${our}`, theirs: `default ${their}` }];
}

const presence = (flag: unknown): string => (flag === undefined ? 'absent' : 'present');

function ourDefault(spec: FlagSpec): string {
  if (spec.type === 'map' || spec.type === 'gates') return '';
  if (spec.type === 'duration') return String(parseGoDuration(spec.default));
  return String(spec.default);
}

/** What is not shown is the type's zero. */
function theirDefault({ type, default: ours }: FlagSpec & { default?: unknown }, theirs: GoFlag): string {
  if (type === 'map' || type === 'gates') return theirs.default.replace('map[]', '');
  if (type === 'duration') return String(theirs.default === '' ? 0 : parseGoDuration(theirs.default));
  if (theirs.default !== '') return theirs.default;
  if (type === 'bool') return 'false';
  // Sizes are quantities there and text here: 0 either way.
  if (type === 'string') return ours === '0' ? '0' : '';
  return '0';
}

function gateDifferences(table: FlagTable, { gates }: GoHelp): FlagDifference[] {
  const spec = table['feature-gates'];
  const ours = spec?.type === 'gates' ? spec.gates : {};
  const listed = new Map(gates.map((gate) => [gate.name, `${gate.stage}, ${gate.default}`]));
  // Every program of Go's takes these two, as ours do.
  for (const group of ['AllAlpha', 'AllBeta']) listed.delete(group);
  const names = new Set([...listed.keys(), ...Object.keys(ours)]);
  return [...names].flatMap((name) => {
    const gate = ours[name];
    const our = gate === undefined ? 'absent' : `${gate.stage.toUpperCase()}, ${gate.default}`;
    const their = listed.get(name) ?? (gate?.stage === 'GA' ? our : 'absent');
    return our === their ? [] : [{ what: `gate ${name}`, ours: our, theirs: their }];
  });
}
