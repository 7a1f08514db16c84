import { parseGoDuration } from '@holdfast/core';
import { ExitError } from './exit.ts';
import { resolveGates } from './feature-gates.ts';
import { flagsHelp, flagsMarkdown } from './flag-help.ts';
import { type FlagSyntax, parseArguments } from './flag-parser.ts';
import { type FlagSpec, type FlagTable, type FlagValue, type FlagValues, flagKey } from './flag-spec.ts';

export interface CommandLine<Table extends FlagTable> {
  /** Applies defaults and checks. @throws ExitError on a value that its schema refuses or an unknown gate */
  values(): FlagValues<Table>;
  /** The same for a table that is part of this one. */
  valuesOf<Part extends FlagTable>(part: Part): FlagValues<Part>;
  /** Only flags that were given, by name. */
  readonly given: ReadonlyMap<string, FlagValue>;
  readonly isHelp: boolean;
  readonly isVersion: boolean;
  /** One line for each deprecated flag in use and for words that no flag took. */
  readonly warnings: readonly string[];
}

export interface FlagSet<Table extends FlagTable> {
  readonly table: Table;
  /** @throws UsageError (exit 2), ExitError */
  parse(argv: readonly string[], options: { syntax: FlagSyntax }): FlagValues<Table>;
  /** Reads without checking values, so that --help and --version work whatever else is given. @throws UsageError */
  read(argv: readonly string[], options: { syntax: FlagSyntax }): CommandLine<Table>;
  help(program: string): string;
  markdown(): string;
}

export function defineFlags<const Table extends FlagTable>(table: Table): FlagSet<Table> {
  function read(argv: readonly string[], options: { syntax: FlagSyntax }): CommandLine<Table> {
    const { given, isHelp, ignored } = parseArguments(table, argv, options.syntax);
    return {
      given,
      isHelp,
      isVersion: Object.hasOwn(table, 'version') && given.get('version') === true,
      warnings: [...deprecations(table, given), ...ignoredWords(ignored)],
      values: () => completeFlags(table, given),
      valuesOf: (part) => completeFlags(part, given),
    };
  }
  return {
    table,
    read,
    parse: (argv, options) => read(argv, options).values(),
    help: (program) => flagsHelp(table, program),
    markdown: () => flagsMarkdown(table),
  };
}

/** Applies defaults and checks. @throws ExitError on a value that its schema refuses or an unknown gate */
export function completeFlags<Table extends FlagTable>(
  table: Table,
  given: ReadonlyMap<string, FlagValue>,
): FlagValues<Table> {
  const values: Record<string, FlagValue> = {};
  for (const [name, spec] of Object.entries(table)) {
    const override = spec.overriddenBy === undefined ? undefined : given.get(spec.overriddenBy);
    const value = settle(spec, override ?? given.get(name));
    check(name, spec, value);
    if (spec.excludes !== undefined && isChanged(spec, value) && given.get(spec.excludes)) {
      throw new ExitError(`only one of --${name} and --${spec.excludes} can be set; keep --${spec.excludes}`);
    }
    values[flagKey(name, spec)] = value;
  }
  if (!hasEveryFlag(table, values)) throw new Error('a flag has no value');
  return values;
}

function settle(spec: FlagSpec, given: FlagValue | undefined): FlagValue {
  if (spec.type === 'gates') {
    return resolveGates(spec.gates, typeof given === 'object' ? given : {}, spec.exitCode ?? 1);
  }
  if (given !== undefined) return given;
  return spec.type === 'duration' ? parseGoDuration(spec.default) : spec.default;
}

function isChanged(spec: FlagSpec, value: FlagValue): boolean {
  return spec.type !== 'gates' && value !== spec.default;
}

function check(name: string, spec: FlagSpec, value: FlagValue): void {
  if (typeof value === 'string' && value.includes('\0'))
    throw new ExitError(`invalid value for --${name}: holds a NUL`);
  const issue = spec.schema?.safeParse(value).error?.issues[0];
  if (issue !== undefined) throw new ExitError(`invalid value for --${name}: ${issue.message}`);
}

function hasEveryFlag<Table extends FlagTable>(table: Table, values: object): values is FlagValues<Table> {
  return Object.entries(table).every(([name, spec]) => Object.hasOwn(values, flagKey(name, spec)));
}

function deprecations(table: FlagTable, given: ReadonlyMap<string, FlagValue>): string[] {
  return [...given.keys()].flatMap((name) => {
    const remedy = table[name]?.deprecated;
    return remedy === undefined ? [] : [`--${name} is deprecated: ${remedy}`];
  });
}

function ignoredWords(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  return [
    `Ignoring ${JSON.stringify(words.join(' '))}: not a flag (a boolean takes its value with =, as in --flag=true)`,
  ];
}
