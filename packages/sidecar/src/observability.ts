import { errorMessage } from '@holdfast/core';
import { ExitError } from './exit.ts';
import { metricsRoute } from './http-routes.ts';
import { type HttpServer, type Route, startHttpServer } from './http-server.ts';
import type { ProgramContext } from './run-program.ts';

export interface HttpValues {
  readonly httpEndpoint: string;
  readonly metricsAddress: string;
  readonly metricsPath: string;
}

/**
 * Serves metrics, and what else is given, where the flags say; nothing when they name no address.
 * @param healthRoutes served only on --http-endpoint, as upstream
 * @throws ExitError
 */
export async function serveMetrics(
  values: HttpValues,
  context: Pick<ProgramContext, 'registry' | 'log' | 'fatalExitCode' | 'serveHttp'>,
  signal: AbortSignal,
  healthRoutes: Readonly<Record<string, Route>> = {},
): Promise<HttpServer | undefined> {
  const { serveHttp = startHttpServer } = context;
  const address = values.httpEndpoint || values.metricsAddress;
  if (address === '') return undefined;
  const routes = {
    ...(values.httpEndpoint === '' ? {} : healthRoutes),
    [values.metricsPath]: metricsRoute(context.registry),
  };
  try {
    return await serveHttp({ address, routes, log: context.log, signal });
  } catch (error) {
    throw new ExitError(errorMessage(error), { exitCode: context.fatalExitCode, cause: error });
  }
}
