import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage, untilAborted } from '@holdfast/core';
import { type Backend, type Role, serveDriver } from '@holdfast/driver-kit';
import { createOperationMetrics, normalizeUnixAddress } from '@holdfast/rpc';
import {
  defineRole,
  ExitError,
  type FlagValues,
  metricsRoute,
  type ProgramContext,
  startHttpServer,
  unprepared,
} from '@holdfast/sidecar';
import { createDirBackend } from './dir/dir-backend.ts';
import { createDiskBackend } from './disk/disk-backend.ts';
import { driverFlags } from './flags.ts';
import { type BackendName, defaultDriverName } from './names.ts';

export const driverRole = defineRole({
  name: 'holdfast-driver',
  flags: driverFlags,
  syntax: 'go',
  prepare: (values, context) => unprepared((signal) => serve(values, { ...context, signal })),
});

export const { main } = driverRole;

type Values = FlagValues<typeof driverFlags.table>;

async function serve(
  values: Values,
  { log, registry, signal, hostname, env, version, serveHttp = startHttpServer }: ProgramContext,
): Promise<void> {
  const backendName: BackendName = values.backend === 'dir' ? 'dir' : 'disk';
  const role: Role = values.role === 'controller' || values.role === 'node' ? values.role : 'all';
  if (backendName === 'dir' && values.zone !== '') {
    throw new ExitError('--zone is for --backend=disk: a volume of dir is a folder of one node and cannot be moved');
  }
  const nodeId = values.nodeId || hostname;
  const name = values.driverName || defaultDriverName(backendName);
  const address = await openEndpoint(values.endpoint || (env.CSI_ENDPOINT ?? ''));
  const createBackend = backendName === 'dir' ? createDirBackend : createDiskBackend;
  const { poolDir, zone, maxVolumesPerNode, ioCgroup, httpEndpoint, metricsPath } = values;
  const metrics = createOperationMetrics({ registry, subsystem: 'csi_plugin', driverName: name });

  const backend: Backend = await createBackend({ poolDir, nodeId, zone, role, maxVolumesPerNode, ioCgroup, log });
  if (httpEndpoint !== '') {
    await serveHttp({ address: httpEndpoint, routes: { [metricsPath]: metricsRoute(registry) }, log, signal });
  }
  const server = await serveDriver({ backend, name, version, role, nodeId, address, log, metrics });
  log.info('Serving', {
    driver: name,
    backend: backendName,
    role,
    node: nodeId,
    ...(zone === '' ? {} : { zone }),
    address: server.address,
    pool: poolDir,
  });
  await untilAborted(signal);
  await server.stop();
}

async function openEndpoint(endpoint: string): Promise<string> {
  if (endpoint === '') throw new ExitError('no endpoint: give --endpoint=unix:///path/csi.sock or set CSI_ENDPOINT');
  try {
    const address = normalizeUnixAddress(endpoint);
    // CSI spec, "CSI_ENDPOINT": all UNIX endpoints end so.
    if (!address.endsWith('.sock')) throw new Error('the name of the socket must end with .sock');
    await mkdir(dirname(address), { recursive: true, mode: 0o750 });
    return address;
  } catch (error) {
    throw new ExitError(`--endpoint ${endpoint}: ${errorMessage(error)}`, { cause: error });
  }
}
