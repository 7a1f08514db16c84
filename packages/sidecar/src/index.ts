export {
  type AssembleDeps,
  type Assembled,
  type ControllerProgramDeps,
  prepareController,
} from './controller-program.ts';
export {
  connectDriver,
  type DriverConnection,
  type DriverConnectionDeps,
  failOnConnectionLoss,
  readDriverName,
} from './driver-connection.ts';
export { type ElectionDeps, runWithElection } from './election.ts';
export { ConnectionLostError, ExitError, RoleError, UsageError } from './exit.ts';
export { EXPLAIN_PATH, type ExplainRouteDeps, explainRoute, type Leadership } from './explain-route.ts';
export type { FlagSyntax } from './flag-parser.ts';
export { type FlagSpec, type FlagTable, type FlagValue, type FlagValues, flagKey, type GateSpec } from './flag-spec.ts';
export { type CommandLine, completeFlags, defineFlags, type FlagSet } from './flags.ts';
export { type Health, healthRoute, metricsRoute } from './http-routes.ts';
export {
  type HttpReply,
  type HttpRequest,
  type HttpServer,
  type HttpServerDeps,
  type Route,
  type ServeHttp,
  startHttpServer,
} from './http-server.ts';
export { connectKube, type KubeAccess, type KubeAccessDeps } from './kube-access.ts';
export { createLogger, type LogDestination, type LoggerOptions } from './logger.ts';
export { loggingFlags } from './logging-flags.ts';
export { createMetricsRegistry } from './metrics.ts';
export { type HttpValues, serveMetrics } from './observability.ts';
export { retryFlags } from './retry-flags.ts';
export {
  defineRole,
  type MainOptions,
  type PreparedRole,
  type ReadFlags,
  type Role,
  type RoleDeps,
  type RoleOptions,
  runPrepared,
  unprepared,
} from './role.ts';
export { runGroup } from './run-group.ts';
export { type ProgramContext, type ProgramDeps, type ProgramSurroundings, runProgram } from './run-program.ts';
export { keepHeapSmall } from './small-heap.ts';
export { standardFlags } from './standard-flags.ts';
export { version } from './version.ts';
