import type {
  CSINode,
  CSIStorageCapacity,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { annotations } from '../names.ts';
import { type Candidate, decidePod, type PodClaimState, type PodView } from './decide.ts';

const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

function node(name: string, options: { isReady?: boolean; labels?: Record<string, string>; spec?: object } = {}): Node {
  return {
    metadata: { ...meta, name, labels: options.labels ?? {} },
    spec: options.spec ?? {},
    status: { conditions: [{ type: 'Ready', status: options.isReady === false ? 'False' : 'True' }] },
  };
}

function csiNode(name: string, count?: number): CSINode {
  const allocatable = count === undefined ? {} : { allocatable: { count } };
  return { metadata: { ...meta, name }, spec: { drivers: [{ name: 'disk.test', nodeID: name, ...allocatable }] } };
}

function candidate(subject: Node, options: Partial<Candidate> = {}): Candidate {
  return {
    node: subject,
    csiNode: csiNode(subject.metadata.name),
    volumesByDriver: new Map(),
    podCount: 0,
    ...options,
  };
}

const claim = (extra: Record<string, string> = {}): PersistentVolumeClaim => ({
  metadata: { ...meta, name: 'data', namespace: 'default', annotations: extra },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fast' },
});
const storageClass = (options: object = {}): StorageClass => ({
  metadata: { ...meta, name: 'fast' },
  provisioner: 'disk.test',
  ...options,
});
const zone = (value: string) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] }] },
});
const volume = (name: string, spec: object = {}): PersistentVolume => ({
  metadata: { ...meta, name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    storageClassName: 'fast',
    csi: { driver: 'disk.test', volumeHandle: name },
    ...spec,
  },
  status: { phase: 'Available' },
});
const pod: Pod = { metadata: { ...meta, name: 'web' }, spec: { containers: [] } };
const bound = (spec: object = {}): PodClaimState => ({ kind: 'bound', claim: claim(), volume: volume('pv', spec) });
const delayed = (options: object = {}, selectedNode?: string): PodClaimState => ({
  kind: 'delayed',
  claim: claim(selectedNode === undefined ? {} : { [annotations.selectedNode]: selectedNode }),
  storageClass: storageClass(options),
});

function decide(view: Partial<PodView>) {
  return decidePod({
    pod,
    claims: [],
    candidates: [candidate(node('a', { labels: { zone: 'a' } })), candidate(node('b', { labels: { zone: 'b' } }))],
    volumes: [],
    drivers: new Set(['disk.test']),
    room: { drivers: new Set(), capacities: [] },
    preferredNode: undefined,
    ...view,
  });
}

describe('a pod', () => {
  it('goes to the emptiest node', () => {
    const candidates = [candidate(node('a'), { podCount: 2 }), candidate(node('b'), { podCount: 1 })];
    expect(decide({ candidates })).toEqual({ kind: 'bindPod', nodeName: 'b' });
  });

  it('goes where its volume can be reached', () => {
    expect(decide({ claims: [bound({ nodeAffinity: zone('b') })] })).toEqual({ kind: 'bindPod', nodeName: 'b' });
  });

  it('goes to the node its volumes were made for', () => {
    expect(decide({ claims: [bound()], preferredNode: 'b' })).toEqual({ kind: 'bindPod', nodeName: 'b' });
  });

  it.each([
    [
      'a claim that is missing',
      { claims: [{ kind: 'missing', name: 'data' }] },
      /persistentvolumeclaim "data" not found/,
    ],
    [
      'a claim yet to be bound',
      { claims: [{ kind: 'immediate', claim: claim() }] },
      /unbound immediate PersistentVolumeClaims/,
    ],
    [
      'nodes that are not ready',
      { candidates: [candidate(node('a', { isReady: false }))] },
      /1 node\(s\) were not ready/,
    ],
    [
      'a cordoned node',
      { candidates: [candidate(node('a', { spec: { unschedulable: true } }))] },
      /were unschedulable/,
    ],
    [
      'a taint',
      { candidates: [candidate(node('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }))] },
      /untolerated taint \{k: \}/,
    ],
    [
      'a volume out of reach',
      { claims: [bound({ nodeAffinity: zone('c') })] },
      /2 node\(s\) didn't match PersistentVolume's node affinity/,
    ],
    [
      'a driver that is not there',
      { claims: [bound()], candidates: [candidate(node('a'), { csiNode: undefined })] },
      /didn't have CSI driver "disk.test"/,
    ],
    [
      'a full node',
      {
        claims: [bound()],
        candidates: [
          candidate(node('a'), {
            csiNode: csiNode('a', 1),
            volumesByDriver: new Map([['disk.test', new Set(['other'])]]),
          }),
        ],
      },
      /exceed max volume count/,
    ],
    [
      'a claim for one pod alone that another pod has',
      { claims: [{ kind: 'taken', claim: claim() }] },
      /pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode/,
    ],
    [
      'no volume of a class that makes none',
      { claims: [delayed({ provisioner: 'kubernetes.io/no-provisioner' })] },
      /didn't find available persistent volumes/,
    ],
  ] as const)('waits with %s', (_, view, message) => {
    expect(decide(view)).toEqual({ kind: 'unschedulable', message: expect.stringMatching(message) });
  });

  it('may share a volume that is on a full node already', () => {
    const full = { csiNode: csiNode('a', 1), volumesByDriver: new Map([['disk.test', new Set(['pv'])]]) };
    expect(decide({ claims: [bound()], candidates: [candidate(node('a'), full)] }).kind).toBe('bindPod');
  });
});

describe('a pod with a delayed claim', () => {
  it('has its volume made for the node its class allows', () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }];
    expect(decide({ claims: [delayed({ allowedTopologies })] })).toMatchObject({
      kind: 'bindClaims',
      nodeName: 'b',
      claims: [{ kind: 'provision' }],
    });
  });

  it.each<[string, Partial<CSIStorageCapacity>, 'bindClaims' | 'unschedulable']>([
    ['as much as it asks for', { capacity: '1Gi' }, 'bindClaims'],
    ['less', { capacity: '1023Mi' }, 'unschedulable'],
    ['enough, but not for one volume', { capacity: '5Gi', maximumVolumeSize: '512Mi' }, 'unschedulable'],
    ['enough for another class', { capacity: '5Gi', storageClassName: 'slow' }, 'unschedulable'],
    ['enough in another place', { capacity: '5Gi', nodeTopology: { matchLabels: { zone: 'c' } } }, 'unschedulable'],
    ['nothing that is known', {}, 'unschedulable'],
  ])('finds %s where the driver tells its room', (_, told, kind) => {
    const capacity: CSIStorageCapacity = {
      metadata: { ...meta, name: 'csisc-1', namespace: 'driver' },
      storageClassName: 'fast',
      nodeTopology: { matchLabels: { zone: 'b' } },
      ...told,
    };
    const claims = [delayed()];
    const drivers = new Set(['disk.test']);
    expect(decide({ claims, room: { drivers, capacities: [capacity] } })).toMatchObject(
      kind === 'bindClaims'
        ? { kind, nodeName: 'b' }
        : { kind, message: expect.stringMatching(/2 node\(s\) did not have enough free storage/) },
    );
    expect(decide({ claims, room: { drivers: new Set(), capacities: [capacity] } })).toMatchObject({ nodeName: 'a' });
  });

  it('takes a free volume that the node reaches', () => {
    const volumes = [volume('far', { nodeAffinity: zone('c') }), volume('near', { nodeAffinity: zone('b') })];
    const noProvisioner = { provisioner: 'kubernetes.io/no-provisioner' };
    expect(decide({ claims: [delayed(noProvisioner)], volumes })).toMatchObject({
      nodeName: 'b',
      claims: [{ kind: 'reserve', volume: { metadata: { name: 'near' } } }],
    });
  });

  it('never takes one volume for two claims', () => {
    const claims = [
      delayed({ provisioner: 'kubernetes.io/no-provisioner' }),
      delayed({ provisioner: 'kubernetes.io/no-provisioner' }),
    ];
    expect(decide({ claims, volumes: [volume('only')] }).kind).toBe('unschedulable');
  });

  it('stays with the node that a volume is being made for', () => {
    expect(decide({ claims: [delayed({}, 'b')] })).toMatchObject({ kind: 'bindClaims', nodeName: 'b' });
  });

  it('counts the volume to be made against the limit', () => {
    const limited = [candidate(node('a'), { csiNode: csiNode('a', 1) })];
    expect(decide({ claims: [delayed()], candidates: limited }).kind).toBe('bindClaims');
    expect(decide({ claims: [delayed(), bound()], candidates: limited }).kind).toBe('unschedulable');
  });

  it('counts a volume that is there against its own driver, whatever the class is called', () => {
    const noProvisioner = delayed({ provisioner: 'kubernetes.io/no-provisioner' });
    const full = candidate(node('a'), {
      csiNode: csiNode('a', 1),
      volumesByDriver: new Map([['disk.test', new Set(['other'])]]),
    });
    expect(decide({ claims: [noProvisioner], volumes: [volume('free')], candidates: [full] })).toMatchObject({
      kind: 'unschedulable',
      message: expect.stringMatching(/exceed max volume count/),
    });
  });

  it('shares the place of a volume that is being made there for another pod', () => {
    const making = candidate(node('a'), {
      csiNode: csiNode('a', 1),
      volumesByDriver: new Map([['disk.test', new Set(['default/data'])]]),
    });
    expect(decide({ claims: [delayed({}, 'a')], candidates: [making] }).kind).toBe('bindClaims');
  });

  it('tries another node when the provisioner took its choice back', () => {
    expect(decide({ claims: [delayed()], preferredNode: 'a' })).toMatchObject({ nodeName: 'b' });
    expect(decide({ claims: [delayed({}, 'a')], preferredNode: 'a' })).toMatchObject({ nodeName: 'a' });
  });
});
