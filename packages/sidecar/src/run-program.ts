import { hostname } from 'node:os';
import { errorMessage, isAbort, type Logger } from '@holdfast/core';
import type { Registry } from 'prom-client';
import { ConnectionLostError, ExitError, RoleError, UsageError } from './exit.ts';
import type { FlagSyntax } from './flag-parser.ts';
import type { FlagTable, FlagValues } from './flag-spec.ts';
import type { CommandLine, FlagSet } from './flags.ts';
import type { ServeHttp } from './http-server.ts';
import { createLogger, type LogDestination } from './logger.ts';
import { checkLogging, loggingFlags } from './logging-flags.ts';
import { createMetricsRegistry } from './metrics.ts';
import { TERMINATION_LOG, writeTerminationLog } from './termination-log.ts';
import { version } from './version.ts';

/** What the sidecars give every program. */
export interface ProgramContext {
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
  readonly registry: Registry;
  /** Aborts on SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly hostname: string;
  readonly env: NodeJS.ProcessEnv;
  /** What upstream's program exits with where it calls klog.Fatal: 255 for csi-provisioner, 1 for the others. */
  readonly fatalExitCode: number;
  /** Where its HTTP is served when several programs share one server; a server of its own when not given. */
  readonly serveHttp?: ServeHttp;
}

/** What a program has from its process, where it is not the process's own. */
export interface ProgramSurroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdout?: LogDestination;
  /** Usage errors and log lines. */
  readonly stderr?: LogDestination;
  readonly terminationLog?: string;
  readonly hostname?: string;
  /** Ends the program as SIGTERM does. The signals of the process are not watched then: several may run in it. */
  readonly signal?: AbortSignal;
}

export interface ProgramDeps<Table extends FlagTable> extends ProgramSurroundings {
  readonly name: string;
  readonly flags: FlagSet<Table>;
  readonly argv: readonly string[];
  readonly syntax: FlagSyntax;
  readonly start: (
    values: FlagValues<Table>,
    context: ProgramContext,
    commandLine: CommandLine<Table>,
  ) => Promise<void>;
  readonly fatalExitCode?: number;
}

/**
 * Runs a program from its command line to its end. The first SIGTERM or SIGINT aborts `context.signal`; the second ends
 * the process at once.
 * @returns the exit code: 0 after a clean end, 2 on a usage error, what an ExitError says, else 1
 */
export async function runProgram<Table extends FlagTable>(deps: ProgramDeps<Table>): Promise<number> {
  const read = readCommandLine(deps);
  if (read.kind === 'exit') return read.code;
  const { values, log, commandLine } = read;
  const signals = deps.signal ? { signal: deps.signal, stop: () => {} } : watchSignals(log);
  log.info('Version', { version });
  for (const warning of commandLine.warnings) log.warn(warning);
  try {
    const context: ProgramContext = {
      name: deps.name,
      version,
      log,
      registry: createMetricsRegistry(),
      signal: signals.signal,
      hostname: deps.hostname ?? hostname(),
      env: deps.env ?? process.env,
      fatalExitCode: deps.fatalExitCode ?? 1,
    };
    await deps.start(values, context, commandLine);
    return 0;
  } catch (error) {
    return exitCodeOf(error, deps, log, signals.signal);
  } finally {
    signals.stop();
  }
}

type Read<Table extends FlagTable> =
  | { readonly kind: 'exit'; readonly code: number }
  | {
      readonly kind: 'start';
      readonly values: FlagValues<Table>;
      readonly log: Logger;
      readonly commandLine: CommandLine<Table>;
    };

function readCommandLine<Table extends FlagTable>(deps: ProgramDeps<Table>): Read<Table> {
  const { name, flags, argv, syntax, stdout = process.stdout, stderr = process.stderr } = deps;
  try {
    const commandLine = flags.read(argv, { syntax });
    if (commandLine.isHelp) {
      stdout.write(flags.help(name));
      return { kind: 'exit', code: 0 };
    }
    if (commandLine.isVersion) {
      stdout.write(`${name} ${version}\n`);
      return { kind: 'exit', code: 0 };
    }
    const logging = commandLine.valuesOf(loggingFlags);
    checkLogging(logging);
    const values = commandLine.values();
    const log = createLogger({
      program: name,
      verbosity: logging.v,
      format: logging.loggingFormat === 'json' ? 'json' : 'text',
      ...(deps.stderr === undefined ? {} : { destination: deps.stderr }),
    });
    return { kind: 'start', values, log, commandLine };
  } catch (error) {
    if (error instanceof UsageError) stderr.write(`${error.message}\n${flags.help(name)}`);
    else stderr.write(`${name}: ${errorMessage(error)}\n`);
    return { kind: 'exit', code: error instanceof UsageError || error instanceof ExitError ? error.exitCode : 1 };
  }
}

function exitCodeOf(thrown: unknown, deps: { terminationLog?: string }, log: Logger, signal: AbortSignal): number {
  const [error, fields] = thrown instanceof RoleError ? [thrown.cause, { role: thrown.role }] : [thrown, {}];
  if (isAbort(error, signal)) return 0;
  if (error instanceof ConnectionLostError) {
    writeTerminationLog(deps.terminationLog ?? TERMINATION_LOG, error.message, log);
  }
  log.error(errorMessage(error), fields);
  if (error instanceof Error && !(error instanceof ExitError)) log.debug(2, 'Stack', { stack: error.stack ?? '' });
  return error instanceof ExitError ? error.exitCode : 1;
}

/** As PID 1 a Node process ignores signals that it does not handle, so every program handles these. */
function watchSignals(log: Logger): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals, number: number): void => {
    if (controller.signal.aborted) {
      log.warn('Second signal, exiting at once', { signal: name });
      process.exit(128 + number);
    }
    log.info('Stopping', { signal: name });
    controller.abort(new Error(`received ${name}`));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return {
    signal: controller.signal,
    stop: () => process.off('SIGTERM', onSignal).off('SIGINT', onSignal),
  };
}
