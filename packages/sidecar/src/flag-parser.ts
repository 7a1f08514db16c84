import { errorMessage } from '@holdfast/core';
import { UsageError } from './exit.ts';
import type { FlagSpec, FlagTable, FlagValue } from './flag-spec.ts';
import { readFlagText } from './flag-value.ts';
import { nearestName } from './nearest-name.ts';

/**
 * `go` is Go's flag package: one dash or two, parsing ends at the first word that is no flag.
 * `pflag` is spf13's: long flags need two dashes, one dash starts letters, words may stand between flags.
 */
export type FlagSyntax = 'go' | 'pflag';

export interface ParsedArguments {
  /** By flag name; only flags that were given. */
  readonly given: ReadonlyMap<string, FlagValue>;
  readonly isHelp: boolean;
  /** Words that no flag took, as upstream ignores them. */
  readonly ignored: readonly string[];
}

/** @throws UsageError */
export function parseArguments(table: FlagTable, argv: readonly string[], syntax: FlagSyntax): ParsedArguments {
  const given = new Map<string, FlagValue>();
  const ignored: string[] = [];
  const rest = [...argv];

  function set(name: string, spec: FlagSpec, text: string, shown: string): void {
    try {
      given.set(name, readFlagText(spec, text, given.get(name)));
    } catch (error) {
      throw new UsageError(`invalid value ${JSON.stringify(text)} for flag ${shown}: ${errorMessage(error)}`);
    }
  }

  /** Sets a flag from `=text`, from its bare form, or from the word after it. */
  function take(name: string, spec: FlagSpec, attached: string | undefined, shown: string): void {
    const text = attached ?? (spec.type === 'bool' ? 'true' : rest.shift());
    if (text === undefined) throw new UsageError(`flag needs an argument: ${shown}`);
    set(name, spec, text, shown);
  }

  /** pflag's letters: `-v5`, `-v=5`, `-v 5`. Returns true for -h. */
  function takeLetters(argument: string): boolean {
    const letters = argument.slice(1);
    for (let at = 0; at < letters.length; at++) {
      const letter = letters.charAt(at);
      const [name, spec] = Object.entries(table).find(([, each]) => each.shorthand === letter) ?? [];
      if (name === undefined || spec === undefined) {
        if (letter === 'h') return true;
        const hint = hintFor(letters.split('=')[0] ?? '', table);
        throw new UsageError(`unknown shorthand flag: '${letter}' in ${argument}${hint}`);
      }
      const after = letters.slice(at + 1);
      if (spec.type === 'bool' && !after.startsWith('=')) {
        set(name, spec, 'true', `-${letter}`);
        continue;
      }
      take(name, spec, after === '' ? undefined : after.replace(/^=/, ''), `-${letter}`);
      return false;
    }
    return false;
  }

  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      ignored.push(...rest);
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      ignored.push(argument);
      if (syntax === 'pflag') continue;
      ignored.push(...rest);
      break;
    }
    if (syntax === 'pflag' && !argument.startsWith('--')) {
      if (takeLetters(argument)) return { given, isHelp: true, ignored };
      continue;
    }
    const [, dashes = '', name = '', attached] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${argument}`);
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) {
      if (name === 'help' || name === 'h') return { given, isHelp: true, ignored };
      throw new UsageError(unknownFlag(name, table, syntax));
    }
    take(name, spec, attached, `${dashes}${name}`);
  }
  return { given, isHelp: false, ignored };
}

function unknownFlag(name: string, table: FlagTable, syntax: FlagSyntax): string {
  const text = syntax === 'go' ? `flag provided but not defined: -${name}` : `unknown flag: --${name}`;
  return text + hintFor(name, table);
}

function hintFor(name: string, table: FlagTable): string {
  const nearest = nearestName(name, Object.keys(table));
  return nearest === undefined ? '' : ` (did you mean --${nearest}?)`;
}
