import { defineFlags, loggingFlags, retryFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

const WORK = 'Provisioning';
const TOPOLOGY = 'Topology';
const CAPACITY = 'Storage capacity';
const NODE = 'Node deployment';

const atLeastOne = z.number().min(1, 'must be at least 1');
const positive = z.number().positive('must be greater than zero');

/** Every flag of csi-provisioner, with its default. Those whose function is not there yet say so; see the README. */
export const provisionerFlags = defineFlags({
  ...standardFlags,
  ...loggingFlags,
  ...retryFlags,
  'feature-gates': {
    type: 'gates',
    gates: {
      Topology: { default: true, stage: 'GA' },
      VolumeAttributesClass: { default: true, stage: 'GA' },
      CrossNamespaceVolumeDataSource: { default: false, stage: 'alpha' },
      ReleaseLeaderElectionOnExit: { default: false, stage: 'alpha' },
    },
    exitCode: 255,
    help: 'Gate=true,Gate=false.',
  },
  master: {
    type: 'string',
    default: '',
    group: 'Kubernetes API',
    help: 'URL of the API server, in place of the one the kubeconfig names.',
  },
  timeout: {
    type: 'duration',
    default: '10s',
    group: WORK,
    help: 'How long one call to the driver may take.',
    schema: positive,
  },
  'worker-threads': {
    type: 'uint',
    default: 100,
    group: WORK,
    help: 'How many claims are worked on at once, and beside them how many volumes.',
    schema: atLeastOne,
  },
  'volume-name-prefix': {
    type: 'string',
    default: 'pvc',
    group: WORK,
    help: 'What the names of volumes begin with.',
    schema: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be lower-case letters, digits, - or ., and not empty'),
  },
  'volume-name-uuid-length': {
    type: 'int',
    default: -1,
    group: WORK,
    help: "How many digits of the claim's uid go into the name of its volume; -1: the uid as it is.",
    schema: z
      .number()
      .min(-1, 'must be -1, or 1 to 32')
      .max(32, 'must be -1, or 1 to 32')
      .refine((n) => n !== 0, 'must be -1, or 1 to 32'),
  },
  'default-fstype': {
    type: 'string',
    default: '',
    group: WORK,
    help: 'File system of volumes whose StorageClass names none.',
  },
  'extra-create-metadata': {
    type: 'bool',
    default: false,
    group: WORK,
    help: 'Tell the driver the names of the claim, its namespace and the volume, as parameters.',
  },
  'controller-publish-readonly': {
    type: 'bool',
    default: false,
    group: WORK,
    help: 'Attach the volume of a claim that is ReadOnlyMany alone read-only.',
  },
  'strict-topology': {
    type: 'bool',
    default: false,
    group: TOPOLOGY,
    help: "With delayed binding, ask for the selected node's place alone instead of preferring it.",
  },
  'immediate-topology': {
    type: 'bool',
    default: true,
    group: TOPOLOGY,
    help: 'With immediate binding, tell the driver the places of all nodes.',
  },
  'prevent-volume-mode-conversion': {
    type: 'bool',
    default: true,
    group: WORK,
    help: 'Refuse to turn a snapshot of a block volume into a file system, or back, without permission.',
  },
  'cloning-protection-threads': {
    type: 'uint',
    default: 1,
    group: WORK,
    help: 'How many deleted claims that others were cloned from are released at once.',
    schema: atLeastOne,
  },
  'snapshot-orphan-sweep-interval': {
    type: 'duration',
    default: '5m',
    group: WORK,
    help: 'How often to release snapshots that no claim is filled from any more; 0: never.',
    schema: z.number().nonnegative('must not be negative'),
  },
  'enable-pprof': {
    type: 'bool',
    default: false,
    group: 'Metrics and health',
    help: 'Accepted, and without effect: there is no Go runtime to profile.',
  },
  'enable-capacity': {
    type: 'bool',
    default: false,
    group: CAPACITY,
    help: 'Publish CSIStorageCapacity objects from GetCapacity. Needs the environment variables NAMESPACE and POD_NAME.',
  },
  'capacity-threads': {
    type: 'uint',
    default: 1,
    group: CAPACITY,
    help: 'How many of them are worked on at once.',
    schema: atLeastOne,
  },
  'capacity-poll-interval': {
    type: 'duration',
    default: '1m',
    group: CAPACITY,
    help: 'How often the driver is asked again.',
    schema: positive,
  },
  'capacity-for-immediate-binding': {
    type: 'bool',
    default: false,
    group: CAPACITY,
    help: 'Publish for classes that bind at once too; the scheduler does not read them.',
  },
  'capacity-ownerref-level': {
    type: 'int',
    default: 1,
    group: CAPACITY,
    help: 'Who owns the objects: -1 nobody, 0 the pod, 1 its controller, 2 the controller of that.',
    schema: z.number().min(-1, 'must be -1 or more'),
  },
  'kube-api-capacity-qps': {
    type: 'float',
    default: 1,
    group: CAPACITY,
    help: 'How many of them are written in a second.',
    schema: positive,
  },
  'kube-api-capacity-burst': {
    type: 'int',
    default: 5,
    group: CAPACITY,
    help: 'How many are written at once before that limit holds.',
  },
  'node-deployment': {
    type: 'bool',
    default: false,
    group: NODE,
    help: 'Run beside the driver of each node and serve that node alone. Needs the environment variable NODE_NAME.',
  },
  'node-deployment-immediate-binding': {
    type: 'bool',
    default: true,
    group: NODE,
    help: 'Take claims for which nobody chooses a node.',
  },
  'node-deployment-base-delay': {
    type: 'duration',
    default: '20s',
    group: NODE,
    help: 'How long a node waits before it tries to take such a claim; it doubles each time another was faster.',
    schema: positive,
  },
  'node-deployment-max-delay': {
    type: 'duration',
    default: '60s',
    group: NODE,
    help: 'The longest such wait.',
    schema: positive,
  },
});
