import {
  defineFlags,
  type FlagSet,
  type FlagTable,
  type FlagValue,
  type FlagValues,
  type ProgramContext,
  type RoleOptions,
  runProgram,
  standardFlags,
  startHttpServer,
} from '@holdfast/sidecar';
import { createHttpHost } from './http-host.ts';
import { chosenRoles, givenTo, processFlags, type Roles, rolesFlag } from './role-flags.ts';
import { runRoles } from './run-roles.ts';

/** Several programs that can run in one process. */
export interface Process {
  readonly name: string;
  readonly flags: FlagSet<FlagTable>;
  /** @returns the exit code: that of the role that failed */
  main(argv: readonly string[], options?: RoleOptions): Promise<number>;
}

type Given = ReadonlyMap<string, FlagValue>;

export interface ProcessDeps {
  readonly name: string;
  readonly roles: Roles;
  /** Adds flags that follow from others. */
  readonly derive?: (given: Given, chosen: ReadonlySet<string>, env: NodeJS.ProcessEnv) => Given;
}

export function defineProcess({ name, roles, derive = (given) => given }: ProcessDeps): Process {
  const flags = defineFlags(processFlags(roles));
  const ownFlags = {
    roles: rolesFlag(roles),
    'http-endpoint': standardFlags['http-endpoint'],
    'metrics-path': standardFlags['metrics-path'],
  } as const;

  async function start(
    { roles: names, httpEndpoint, metricsPath }: FlagValues<typeof ownFlags>,
    given: Given,
    context: ProgramContext,
    options: RoleOptions,
  ): Promise<void> {
    const { log, signal, env } = context;
    const chosen = chosenRoles(roles, names);
    const all = derive(given, new Set(chosen.map(([prefix]) => prefix)), env);
    const http = createHttpHost(metricsPath);
    const server =
      httpEndpoint === ''
        ? undefined
        : await startHttpServer({ address: httpEndpoint, routes: http.routes, log, signal });
    try {
      await runRoles({
        roles: chosen.map(([prefix, role]) => ({ role, name: prefix, given: givenTo(prefix, role, all) })),
        context,
        http,
        options,
      });
    } finally {
      await server?.stop();
    }
  }

  return {
    name,
    flags,
    main: (argv, options = {}) =>
      runProgram({
        name,
        flags,
        argv,
        syntax: 'pflag',
        start: (_values, context, commandLine) =>
          start(commandLine.valuesOf(ownFlags), commandLine.given, context, options),
      }),
  };
}
