import { defineFlags, loggingFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

/** Those of kubernetes-csi/livenessprobe, cmd/livenessprobe/main.go. It has no --version. */
export const livenessFlags = defineFlags({
  'csi-address': standardFlags['csi-address'],
  'probe-timeout': {
    type: 'duration',
    default: '3s',
    help: "How long a check may take, connecting included. kubelet's timeoutSeconds must be longer.",
    schema: z.number().positive('must be greater than zero'),
  },
  'http-endpoint': {
    type: 'string',
    default: '',
    help: 'Address of the HTTP server for /healthz and metrics, such as :9808.',
  },
  'health-port': {
    type: 'string',
    default: '9808',
    deprecated: 'use --http-endpoint',
    excludes: 'http-endpoint',
    help: 'Port of the HTTP server for /healthz, without metrics, when --http-endpoint is not set.',
    schema: z.string().regex(/^[0-9]{1,5}$/, 'must be a port number'),
  },
  'metrics-address': standardFlags['metrics-address'],
  'metrics-path': standardFlags['metrics-path'],
  automaxprocs: standardFlags.automaxprocs,
  ...loggingFlags,
});
