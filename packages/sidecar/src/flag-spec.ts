import type { ZodType } from 'zod';

interface Common {
  readonly help: string;
  /** Heading in `--help` and in the docs table. */
  readonly group?: string;
  /** One letter that pflag also takes, as in `-v5`. */
  readonly shorthand?: string;
  /** Taken, but not in --help and the docs. */
  readonly isHidden?: boolean;
  /** In --help and the docs, where the default is not one value. */
  readonly shownDefault?: string;
  /** What to do instead. A deprecated flag still works; using it logs a warning. */
  readonly deprecated?: string;
  /** A flag that cannot be set too, when this one is not at its default. */
  readonly excludes?: string;
  /** A flag whose value this one has where that one is given on the command line. */
  readonly overriddenBy?: string;
  /** Where upstream defines it. */
  readonly reference?: string;
  /** Checked after parsing, on the parsed value (durations: milliseconds). A violation exits with 1, as upstream's own checks do. */
  readonly schema?: ZodType;
}

export interface GateSpec {
  readonly default: boolean;
  readonly stage: 'alpha' | 'beta' | 'GA';
}

export type FlagSpec = Common &
  (
    | { readonly type: 'string'; readonly default: string }
    | { readonly type: 'bool'; readonly default: boolean }
    | { readonly type: 'int' | 'uint' | 'float'; readonly default: number }
    /** The default is written as Go writes durations. */
    | { readonly type: 'duration'; readonly default: string }
    /** `key:value,key:value`, as upstream's label flags. */
    | { readonly type: 'map'; readonly default: Readonly<Record<string, string>> }
    /** `Gate=true,Gate=false`. An unknown gate exits with `exitCode`, or 1. */
    | { readonly type: 'gates'; readonly gates: Readonly<Record<string, GateSpec>>; readonly exitCode?: number }
  );

/** Flag names, without dashes in front, to what they are. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type KeyOf<Name extends string, Spec> = Spec extends { type: 'duration' } ? `${CamelCase<Name>}Ms` : CamelCase<Name>;

type ValueOf<Spec> = Spec extends { type: 'string' }
  ? string
  : Spec extends { type: 'bool' }
    ? boolean
    : Spec extends { type: 'map' }
      ? Readonly<Record<string, string>>
      : Spec extends { type: 'gates'; gates: infer Gates }
        ? { readonly [Gate in keyof Gates]: boolean }
        : number;

/** What a command line gives: `--retry-interval-start` becomes `retryIntervalStartMs`, `--csi-address` becomes `csiAddress`. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table & string as KeyOf<Name, Table[Name]>]: ValueOf<Table[Name]>;
};

/** Any flag's value, where the table is not known. */
export type FlagValue =
  | string
  | boolean
  | number
  | Readonly<Record<string, string>>
  | Readonly<Record<string, boolean>>;

/** The key that `FlagValues` has for a flag. */
export function flagKey(name: string, spec: FlagSpec): string {
  const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return spec.type === 'duration' ? `${camel}Ms` : camel;
}
