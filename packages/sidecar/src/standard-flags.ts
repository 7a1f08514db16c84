import * as z from 'zod';
import type { FlagTable } from './flag-spec.ts';

const LEADER = 'Leader election';
const KUBE = 'Kubernetes API';
const HTTP = 'Metrics and health';
const positive = z.number().positive('must be greater than zero');

/** What every sidecar takes. Names and defaults are those of csi-lib-utils. */
export const standardFlags = {
  'csi-address': { type: 'string', default: '/run/csi/socket', help: 'The socket of the CSI driver.' },
  version: { type: 'bool', default: false, help: 'Print the version and exit.' },
  automaxprocs: {
    type: 'bool',
    default: false,
    help: 'Accepted, and without effect: Node sizes itself.',
  },
  kubeconfig: {
    type: 'string',
    default: '',
    group: KUBE,
    help: 'Path of a kubeconfig file. Empty: the service account of the pod.',
  },
  'kube-api-qps': {
    type: 'float',
    default: 0,
    group: KUBE,
    help: 'At most so many API requests a second. 0: no limit on this side; the API server has its own.',
    schema: z.number().min(0, 'must not be negative'),
  },
  'kube-api-burst': {
    type: 'int',
    default: 10,
    group: KUBE,
    help: 'How many API requests may go at once under --kube-api-qps.',
    schema: z.number().positive('must be at least 1'),
  },
  'leader-election': {
    type: 'bool',
    default: false,
    group: LEADER,
    help: 'Work only while holding the lease, so that several replicas can run.',
  },
  'leader-election-namespace': {
    type: 'string',
    default: '',
    group: LEADER,
    help: 'Namespace of the lease. Empty: POD_NAMESPACE, then the namespace of the service account, then "default".',
  },
  'leader-election-lease-duration': {
    type: 'duration',
    default: '15s',
    group: LEADER,
    help: 'How long others wait after the last renewal they saw before they take the lease.',
    schema: positive,
  },
  'leader-election-renew-deadline': {
    type: 'duration',
    default: '10s',
    group: LEADER,
    help: 'How long the leader tries to renew before it gives up and exits.',
    schema: positive,
  },
  'leader-election-retry-period': {
    type: 'duration',
    default: '5s',
    group: LEADER,
    help: 'Time between tries to take or renew the lease.',
    schema: positive,
  },
  'leader-election-labels': {
    type: 'map',
    default: {},
    group: LEADER,
    help: 'Labels to put on the lease.',
  },
  'http-endpoint': {
    type: 'string',
    default: '',
    group: HTTP,
    help: 'Address of the HTTP server for metrics and health, such as :8080. Empty: no server.',
  },
  'metrics-address': {
    type: 'string',
    default: '',
    group: HTTP,
    deprecated: 'use --http-endpoint',
    excludes: 'http-endpoint',
    help: 'Address of the HTTP server for metrics. Cannot be set together with --http-endpoint.',
  },
  'metrics-path': {
    type: 'string',
    default: '/metrics',
    group: HTTP,
    help: 'The HTTP path of the metrics.',
    schema: z.string().startsWith('/', 'must start with /'),
  },
} as const satisfies FlagTable;
