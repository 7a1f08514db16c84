import { defineFlags, ExitError, loggingFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

/** Those of kubernetes-csi/node-driver-registrar, cmd/csi-node-driver-registrar/main.go. */
export const registrarFlags = defineFlags({
  'csi-address': standardFlags['csi-address'],
  'kubelet-registration-path': {
    type: 'string',
    default: '',
    help: "Required. The driver's socket as kubelet sees it on the node, such as /var/lib/kubelet/plugins/NAME/csi.sock.",
  },
  'plugin-registration-path': {
    type: 'string',
    default: '/registration',
    help: "Folder, here, of kubelet's plugins_registry. The registration socket is made in it.",
    schema: z.string().startsWith('/', 'must be an absolute path, such as /registration'),
  },
  timeout: {
    type: 'duration',
    default: '1s',
    help: "How long the driver may take to tell its name, and the health check to reach the program's own socket.",
    schema: z.number().positive('must be greater than zero'),
  },
  'http-endpoint': {
    type: 'string',
    default: '',
    help: 'Address of the HTTP server for /healthz, such as :8080. Empty: no server.',
  },
  'health-port': {
    type: 'int',
    default: 0,
    deprecated: 'use --http-endpoint',
    help: 'Port of the HTTP server for /healthz. 0 and below: no server.',
  },
  mode: {
    type: 'string',
    default: '',
    deprecated: 'remove it and the exec probe that sets it, and use --http-endpoint with an httpGet probe',
    help: 'kubelet-registration-probe exits at once with 0. Anything else has no effect.',
  },
  'enable-pprof': {
    type: 'bool',
    default: false,
    help: 'Accepted, and without effect: there are no Go profiles.',
  },
  'connection-timeout': {
    type: 'duration',
    default: '0s',
    deprecated: 'it has no effect',
    help: 'Accepted, and without effect.',
  },
  version: standardFlags.version,
  automaxprocs: standardFlags.automaxprocs,
  ...loggingFlags,
});

/**
 * Where to serve /healthz; empty for nowhere.
 * @throws ExitError when both flags name a place
 */
export function healthAddress(values: { httpEndpoint: string; healthPort: number }): string {
  const { httpEndpoint, healthPort } = values;
  if (healthPort <= 0) return httpEndpoint;
  if (httpEndpoint !== '')
    throw new ExitError('only one of --health-port and --http-endpoint can be set; keep --http-endpoint');
  return `:${healthPort}`;
}
