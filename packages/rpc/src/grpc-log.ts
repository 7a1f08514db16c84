import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * grpc-js writes to stderr on its own, past our log and its format, about errors we report too. GRPC_VERBOSITY, its own
 * switch, still turns that on.
 */
export function silenceGrpcJs(): void {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
}
