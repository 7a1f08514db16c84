import type { CreateReflector } from '@holdfast/control';
import type { FlagSyntax } from './flag-parser.ts';
import type { FlagTable, FlagValues } from './flag-spec.ts';
import type { FlagSet } from './flags.ts';
import { type ProgramContext, type ProgramSurroundings, runProgram } from './run-program.ts';

/** A program's work with its connections made, and nothing done yet. */
export interface PreparedRole {
  /** Ends when `signal` aborts and the work has drained. @throws ExitError */
  run(signal: AbortSignal): Promise<void>;
  /** Gives up the connections, after `run` or in its place. */
  close(): void;
}

export interface RoleOptions {
  /** How long to wait until somebody serves the driver's socket; 30 s, as upstream, when not given. */
  readonly connectTimeoutMs?: number;
  /** Where controllers get their caches; each has caches of its own when not given. */
  readonly createReflector?: CreateReflector;
}

export interface MainOptions extends RoleOptions {
  readonly program?: ProgramSurroundings;
}

/** Gives the values of a table's flags. @throws ExitError on a value that is refused */
export type ReadFlags = <Table extends FlagTable>(table: Table) => FlagValues<Table>;

/** What a program does, to run as a process of its own or with others in one. */
export interface Role {
  /** Of the program. */
  readonly name: string;
  readonly table: FlagTable;
  /** See {@link ProgramContext}. */
  readonly fatalExitCode: number;
  /** Runs it as a program of its own until a signal ends it. @returns the exit code */
  main(argv: readonly string[], options?: MainOptions): Promise<number>;
  /** Runs it as one of several. @throws ExitError */
  prepare(read: ReadFlags, context: ProgramContext, options?: RoleOptions): Promise<PreparedRole>;
}

export interface RoleDeps<Table extends FlagTable> {
  readonly name: string;
  readonly flags: FlagSet<Table>;
  readonly syntax: FlagSyntax;
  readonly fatalExitCode?: number;
  readonly prepare: (
    values: FlagValues<Table>,
    context: ProgramContext,
    options: RoleOptions,
  ) => PreparedRole | Promise<PreparedRole>;
}

export function defineRole<const Table extends FlagTable>(deps: RoleDeps<Table>): Role {
  const { name, flags, syntax, fatalExitCode = 1 } = deps;
  return {
    name,
    table: flags.table,
    fatalExitCode,
    prepare: async (read, context, options = {}) => await deps.prepare(read(flags.table), context, options),
    main: (argv, { program, ...options } = {}) =>
      runProgram({
        ...program,
        name,
        flags,
        argv,
        syntax,
        fatalExitCode,
        start: async (values, context) => runPrepared(await deps.prepare(values, context, options), context.signal),
      }),
  };
}

/** From the connections that there are to none. @throws ExitError */
export async function runPrepared(role: PreparedRole, signal: AbortSignal): Promise<void> {
  try {
    await role.run(signal);
  } finally {
    role.close();
  }
}

/** A program that keeps nothing open between its start and its work. */
export function unprepared(run: (signal: AbortSignal) => Promise<void>): PreparedRole {
  return { run, close: () => {} };
}
