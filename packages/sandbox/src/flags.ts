import { defineFlags, type FlagTable, type FlagValues, loggingFlags } from '@holdfast/sidecar';
import * as z from 'zod';

const port = z.number().int().min(0).max(65_535, 'must be a port number');
const path = z.string().min(1, 'must name a path');
const common = {
  ...loggingFlags,
  version: { type: 'bool', default: false, help: 'Print the version and exit.' },
} as const satisfies FlagTable;

const apiServerTable = {
  ...common,
  port: { type: 'int', default: 0, help: 'Loopback port of the API. 0: a free one.', schema: port },
  'kubeconfig-out': {
    type: 'string',
    default: '',
    help: 'File to write the kubeconfig to once the API answers; its folder must exist. Required.',
    schema: path,
  },
  token: {
    type: 'string',
    default: '',
    help: 'Bearer token of the administrator. Empty: a random one, which only the kubeconfig tells.',
  },
  tls: {
    type: 'bool',
    default: true,
    help: 'Serve HTTPS with a certificate of its own making. kubectl sends no token over plain HTTP.',
  },
  'data-dir': {
    type: 'string',
    default: '',
    help: 'Folder to keep objects, certificate, keys and the random token in, for the next start. Empty: memory alone.',
  },
  loops: {
    type: 'bool',
    default: true,
    help: 'Run the control loops for claims, attachments, protection, namespaces, service accounts and scheduling.',
  },
  'node-monitor-grace-period': {
    type: 'duration',
    default: '50s',
    help: 'Silence after which a node counts as lost.',
    schema: z.number().min(1, 'must be above 0'),
  },
  'pod-gc-period': {
    type: 'duration',
    default: '20s',
    help: 'How often pods of nodes that are gone are looked for. Such a node is waited for twice as long.',
    schema: z.number().min(1, 'must be above 0'),
  },
  'max-wait-for-unmount': {
    type: 'duration',
    default: '6m',
    help: 'How long a node that is lost may keep a volume that nobody wants there. None if it is tainted out-of-service.',
    schema: z.number().min(0, 'must not be negative'),
  },
  'audit-log-path': {
    type: 'string',
    default: '',
    help: 'File to append a line of JSON to for each answered request: verb, resource, subresource, namespace, name, userAgent, user, code.',
  },
} as const satisfies FlagTable;

const kubeletTable = {
  ...common,
  kubeconfig: {
    type: 'string',
    default: '',
    help: 'Kubeconfig of the API server. Waited for when it does not exist yet. Required.',
    schema: path,
  },
  'node-name': {
    type: 'string',
    default: '',
    help: 'Name of the Node. Required.',
    schema: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be a lower-case DNS name, such as node-1'),
  },
  'root-dir': {
    type: 'string',
    default: '/var/lib/kubelet',
    help: 'Folder for plug-ins, pods and mounts.',
    schema: path,
  },
  'http-port': { type: 'int', default: 0, help: 'Loopback port for logs and statistics. 0: a free one.', schema: port },
  'node-labels': { type: 'map', default: {}, help: 'Labels of the Node, as key:value,key:value.' },
  'node-status-update-frequency': {
    type: 'duration',
    default: '10s',
    help: 'How often the lease of the node is renewed and its status looked at. A lease lasts four times as long.',
    schema: z.number().min(100, 'must be at least 100ms'),
  },
  'cleanup-on-exit': {
    type: 'bool',
    default: false,
    help: 'On SIGTERM end the pods and unmount their volumes. Without it they run on, for the next kubelet to adopt.',
  },
} as const satisfies FlagTable;

export const apiServerFlags = defineFlags(apiServerTable);
export type ApiServerFlags = FlagValues<typeof apiServerTable>;

export const kubeletFlags = defineFlags(kubeletTable);
export type KubeletFlags = FlagValues<typeof kubeletTable>;
