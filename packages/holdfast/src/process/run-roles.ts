import { createSharedReflectors } from '@holdfast/control';
import { isAbort } from '@holdfast/core';
import {
  completeFlags,
  type FlagTable,
  type FlagValue,
  type PreparedRole,
  type ProgramContext,
  type ReadFlags,
  type Role,
  RoleError,
  type RoleOptions,
  runGroup,
} from '@holdfast/sidecar';
import type { HttpHost } from './http-host.ts';

export interface ChosenRole {
  readonly role: Role;
  /** Its short name. */
  readonly name: string;
  /** By the names of its own flags. */
  readonly given: ReadonlyMap<string, FlagValue>;
}

export interface RunRolesDeps {
  readonly roles: readonly ChosenRole[];
  readonly context: ProgramContext;
  readonly http: HttpHost;
  readonly options?: RoleOptions;
}

/**
 * Runs several programs side by side in this process: all are connected first, then all work. The first that fails ends
 * them all, each as a signal would.
 * @throws RoleError that names it
 */
export async function runRoles({ roles, context, http, options = {} }: RunRolesDeps): Promise<void> {
  const shared = { ...options, createReflector: options.createReflector ?? createSharedReflectors() };
  const prepared = new Map<string, PreparedRole>();

  /** A task for each role, whose failure carries its name. */
  const each = async (task: (chosen: ChosenRole, signal: AbortSignal) => Promise<void>): Promise<void> => {
    const named = (chosen: ChosenRole) => async (signal: AbortSignal) => {
      try {
        await task(chosen, signal);
      } catch (error) {
        throw isAbort(error, signal) ? error : new RoleError(chosen.role.name, error);
      }
    };
    await runGroup(Object.fromEntries(roles.map((chosen) => [chosen.role.name, named(chosen)])), context.signal);
  };

  try {
    await each(async ({ role, name, given }, signal) => {
      const its = {
        ...context,
        name: role.name,
        log: context.log.child({ role: role.name }),
        fatalExitCode: role.fatalExitCode,
        serveHttp: http.serveFor(name),
        signal,
      };
      prepared.set(name, await role.prepare(reader(given), its, shared));
    });
    if (context.signal.aborted) return;
    // All of them in this very turn: caches that are shared must start together.
    await each(({ name }, signal) => prepared.get(name)?.run(signal) ?? Promise.resolve());
  } finally {
    for (const role of prepared.values()) role.close();
  }
}

function reader(given: ReadonlyMap<string, FlagValue>): ReadFlags {
  return <Table extends FlagTable>(table: Table) => completeFlags(table, given);
}
