import { linkSignals } from '@holdfast/core';
import {
  defineRole,
  ExitError,
  type FlagValues,
  healthRoute,
  type ProgramContext,
  type RoleOptions,
  readDriverName,
  startHttpServer,
  unprepared,
} from '@holdfast/sidecar';
import { healthAddress, registrarFlags } from './flags.ts';
import { REGISTRATION_PROBE_MODE, registrationSocketPath } from './names.ts';
import { checkRegistration } from './registration-health.ts';
import { registrationService } from './registration-service.ts';
import { serveRegistration } from './registration-socket.ts';

export const registrarRole = defineRole({
  name: 'csi-node-driver-registrar',
  flags: registrarFlags,
  syntax: 'go',
  prepare: (values, context, options) => unprepared((signal) => register(values, { ...context, signal }, options)),
});

export const { main } = registrarRole;

async function register(
  values: FlagValues<typeof registrarFlags.table>,
  { log, signal, serveHttp = startHttpServer }: ProgramContext,
  { connectTimeoutMs }: RoleOptions,
): Promise<void> {
  const { csiAddress, kubeletRegistrationPath: endpoint, timeoutMs } = values;
  if (endpoint === '') {
    throw new ExitError("--kubelet-registration-path is required: set it to the driver's socket as kubelet sees it");
  }
  const address = healthAddress(values);
  if (values.mode === REGISTRATION_PROBE_MODE) return;

  const driverName = await readDriverName({
    address: csiAddress,
    timeoutMs,
    log,
    signal,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  });
  const path = registrationSocketPath(values.pluginRegistrationPath, driverName);
  const refused = new AbortController();
  const service = registrationService({ driverName, endpoint, log, onRefused: (reason) => refused.abort(reason) });
  const health = healthRoute((caller) => checkRegistration({ path, driverName, timeoutMs, log }, caller));
  if (address !== '') await serveHttp({ address, routes: { '/healthz': health }, log, signal });
  await serveRegistration({ path, service, log, signal: linkSignals(signal, refused.signal) });
  if (refused.signal.aborted) {
    throw new ExitError(
      `kubelet did not register ${driverName}: ${refused.signal.reason}; exiting so that it is asked again`,
    );
  }
}
