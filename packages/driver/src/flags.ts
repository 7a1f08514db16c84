import { defineFlags, loggingFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';
import { backendNames } from './names.ts';

export const driverFlags = defineFlags({
  backend: {
    type: 'string',
    default: 'disk',
    help: 'What volumes are: disk (an image file on a loop device) or dir (a folder, bound into place).',
    schema: z.enum(backendNames, { message: `must be one of ${backendNames.join(', ')}` }),
  },
  endpoint: {
    type: 'string',
    default: '',
    help: 'The socket to serve on: /path, unix:/path or unix:///path. Default: the environment variable CSI_ENDPOINT.',
  },
  role: {
    type: 'string',
    default: 'all',
    help: 'Which services to run: controller, node, or all.',
    schema: z.enum(['controller', 'node', 'all'], { message: 'must be controller, node or all' }),
  },
  'node-id': {
    type: 'string',
    default: '',
    help: 'Name of this node, the value of topology.csi.holdfast/node. Default: the host name.',
  },
  zone: {
    type: 'string',
    default: '',
    help: 'Zone whose nodes all reach the pool (disk only): topology.csi.holdfast/zone in place of .../node, and volumes move within it.',
    schema: z
      .string()
      .regex(/^$|^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'must be a label value, such as zone-a'),
  },
  'pool-dir': {
    type: 'string',
    default: '/var/lib/holdfast',
    help: 'Folder that holds the volumes and their records. One backend per pool; controllers take turns.',
    schema: z.string().startsWith('/', 'must be an absolute path'),
  },
  'driver-name': {
    type: 'string',
    default: '',
    help: 'Name of the CSIDriver object. Default: <backend>.csi.holdfast.',
  },
  'max-volumes-per-node': {
    type: 'int',
    default: 0,
    help: 'How many volumes one node may have attached. 0: no limit.',
    schema: z.number().min(0, 'must not be negative'),
  },
  'io-cgroup': {
    type: 'string',
    default: '',
    help: 'cgroup v2 folder of all pods (disk only): lets a VolumeAttributesClass limit IOPS and bandwidth. Empty: such limits are refused.',
    schema: z.string().regex(/^$|^\//, 'must be an absolute path'),
  },
  'http-endpoint': {
    ...standardFlags['http-endpoint'],
    help: 'Address of the HTTP server for metrics, such as :8080. Empty: no server.',
  },
  'metrics-path': standardFlags['metrics-path'],
  version: standardFlags.version,
  ...loggingFlags,
});
