import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { annotations } from '../names.ts';
import { type ClaimView, decideClaim } from './decide.ts';
import { decideVolume } from './decide-volume.ts';

const meta = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

function claim(spec: object = {}, metadata: object = {}, status: object = {}): PersistentVolumeClaim {
  return {
    metadata: { ...meta, name: 'data', namespace: 'default', uid: 'claim-uid', ...metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'fast',
      ...spec,
    },
    status,
  };
}

function volume(name: string, spec: object = {}, phase = 'Available', metadata: object = {}): PersistentVolume {
  return {
    metadata: { ...meta, name, uid: name, ...metadata },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, storageClassName: 'fast', ...spec },
    status: { phase },
  };
}

function storageClass(options: object = {}): StorageClass {
  return { metadata: { ...meta, name: 'fast', uid: 'class' }, provisioner: 'disk.test', ...options };
}

function decide(view: Partial<ClaimView>) {
  return decideClaim({ claim: claim(), classes: [storageClass()], volumes: [], waitingPods: [], ...view });
}

const ours = { namespace: 'default', name: 'data', uid: 'claim-uid' };
const delayed = storageClass({ volumeBindingMode: 'WaitForFirstConsumer' });
const bound = { annotations: { [annotations.bindCompleted]: 'yes' } };

describe('a claim without a volume', () => {
  it('takes the smallest volume that suits', () => {
    const volumes = [
      volume('large', { capacity: { storage: '4Gi' } }),
      volume('fitting', { capacity: { storage: '2Gi' } }),
      volume('small', { capacity: { storage: '1Mi' } }),
    ];
    expect(decide({ volumes })).toMatchObject({ kind: 'bind', volume: { metadata: { name: 'fitting' } } });
  });

  it.each([
    ['another class', { storageClassName: 'slow' }, 'Available'],
    ['another mode', { volumeMode: 'Block' }, 'Available'],
    ['fewer access modes', { accessModes: ['ReadOnlyMany'] }, 'Available'],
    ['somebody else in it', { claimRef: { namespace: 'default', name: 'other' } }, 'Bound'],
    ['a former claim in it', { claimRef: { ...ours, uid: 'former' } }, 'Released'],
    ['no phase yet', {}, 'Pending'],
  ])('leaves a volume with %s', (_, spec, phase) => {
    expect(decide({ volumes: [volume('pv', spec, phase)] }).kind).toBe('requestVolume');
  });

  it('takes the volume that is reserved for it before any other', () => {
    const volumes = [volume('a'), volume('reserved', { claimRef: ours, capacity: { storage: '9Gi' } }, 'Pending')];
    expect(decide({ volumes })).toMatchObject({ kind: 'bind', volume: { metadata: { name: 'reserved' } } });
  });

  it('asks the provisioner of its class', () => {
    expect(decide({})).toMatchObject({
      kind: 'requestVolume',
      provisioner: 'disk.test',
      notice: { type: 'Normal', reason: 'ExternalProvisioning' },
    });
  });

  it('of a delayed class waits for a pod, even when a volume is free', () => {
    expect(decide({ classes: [delayed], volumes: [volume('free')] })).toMatchObject({
      kind: 'wait',
      notice: { reason: 'WaitForFirstConsumer' },
    });
    expect(decide({ classes: [delayed], waitingPods: ['web'] })).toMatchObject({
      notice: { reason: 'WaitForPodScheduled', message: 'waiting for pod web to be scheduled' },
    });
  });

  it('of a delayed class asks the provisioner once a node is selected', () => {
    const selected = claim({}, { annotations: { [annotations.selectedNode]: 'node-1' } });
    expect(decide({ claim: selected, classes: [delayed] }).kind).toBe('requestVolume');
  });

  it('gets the newest default class when it names none', () => {
    const byDefault = { [annotations.isDefaultClass]: 'true' };
    const classes = [
      storageClass({ metadata: { ...meta, name: 'old', uid: '1', annotations: byDefault } }),
      storageClass({
        metadata: { ...meta, name: 'new', uid: '2', annotations: byDefault, creationTimestamp: '2026-02-01T00:00:00Z' },
      }),
    ];
    const { storageClassName: _, ...spec } = claim().spec ?? {};
    expect(decide({ claim: { ...claim(), spec }, classes })).toEqual({ kind: 'setClass', className: 'new' });
  });

  it.each([
    ['a class that is missing', 'gone', [], 'ProvisioningFailed', /"gone" not found/],
    [
      'a class that makes none',
      'fast',
      [storageClass({ provisioner: 'kubernetes.io/no-provisioner' })],
      'ProvisioningFailed',
      /create a PersistentVolume/,
    ],
    ['no class', '', [], 'FailedBinding', /no storage class is set/],
  ])('says why it waits with %s', (_, storageClassName, classes, reason, message) => {
    const step = decide({ claim: claim({ storageClassName }), classes });
    expect(step).toMatchObject({ kind: 'wait', notice: { reason, message: expect.stringMatching(message) } });
  });

  it('is given nothing while it is being deleted', () => {
    const leaving = claim({}, { deletionTimestamp: '2026-01-02T00:00:00Z' });
    expect(decide({ claim: leaving, volumes: [volume('free')] })).toEqual({ kind: 'wait', notice: undefined });
  });
});

describe('a claim that names a volume', () => {
  const named = claim({ volumeName: 'pv' });
  it.each([
    ['waits until it exists', [], { kind: 'wait', notice: undefined }],
    ['takes it', [volume('pv')], { kind: 'bind' }],
    [
      'does not take one that is too small',
      [volume('pv', { capacity: { storage: '1Mi' } })],
      { notice: { reason: 'VolumeMismatch' } },
    ],
    [
      'does not take one of somebody else',
      [volume('pv', { claimRef: { ...ours, name: 'other' } })],
      { notice: { reason: 'FailedBinding' } },
    ],
  ])('%s', (_, volumes, expected) => {
    expect(decide({ claim: named, volumes })).toMatchObject(expected);
  });
});

describe('a claim that was bound', () => {
  it.each([
    ['stays bound', claim({ volumeName: 'pv' }, bound), [volume('pv', { claimRef: ours }, 'Bound')], { kind: 'bind' }],
    [
      'is lost with its volume',
      claim({ volumeName: 'pv' }, bound),
      [],
      { kind: 'lose', notice: { reason: 'ClaimLost' } },
    ],
    ['is lost without its name', claim({}, bound), [], { kind: 'lose', notice: { reason: 'ClaimLost' } }],
    [
      'is lost when the volume is another claim’s',
      claim({ volumeName: 'pv' }, bound),
      [volume('pv', { claimRef: { ...ours, uid: 'another' } }, 'Bound')],
      { kind: 'lose', notice: { reason: 'ClaimMisbound' } },
    ],
  ])('%s', (_, subject, volumes, expected) => {
    expect(decide({ claim: subject, volumes })).toMatchObject(expected);
  });
});

describe('a volume', () => {
  const taken = claim({ volumeName: 'pv' });
  const byController = { annotations: { [annotations.boundByController]: 'yes' } };
  const provisioned = { annotations: { [annotations.provisionedBy]: 'disk.test' } };
  const deletable = { claimRef: ours, persistentVolumeReclaimPolicy: 'Delete' };
  it.each([
    [
      'without a claim becomes available',
      volume('pv', {}, 'Pending'),
      undefined,
      { kind: 'setPhase', phase: 'Available' },
    ],
    [
      'reserved by name is available',
      volume('pv', { claimRef: { ...ours, uid: '' } }, 'Pending'),
      undefined,
      { kind: 'setPhase', phase: 'Available' },
    ],
    ['with its claim is bound', volume('pv', { claimRef: ours }), taken, { kind: 'setPhase', phase: 'Bound' }],
    ['that is bound stays so', volume('pv', { claimRef: ours }, 'Bound'), taken, { kind: 'none' }],
    [
      'whose claim is gone is released',
      volume('pv', { claimRef: ours }, 'Bound'),
      undefined,
      { kind: 'setPhase', phase: 'Released' },
    ],
    [
      'whose claim was made anew is released',
      volume('pv', { claimRef: ours }, 'Bound'),
      claim({ volumeName: 'pv' }, { uid: 'new' }),
      { kind: 'setPhase', phase: 'Released' },
    ],
    ['that failed stays failed', volume('pv', { claimRef: ours }, 'Failed'), undefined, { kind: 'none' }],
    ['whose claim has not taken it yet waits', volume('pv', { claimRef: ours }), claim(), { kind: 'none' }],
    [
      'whose claim took another is given back',
      volume('pv', { claimRef: ours }, 'Bound', byController),
      claim({ volumeName: 'b' }),
      { kind: 'unbind', keepsReservation: false },
    ],
    [
      'whose claim took another stays reserved for it, if a user said so',
      volume('pv', { claimRef: ours }, 'Bound'),
      claim({ volumeName: 'b' }),
      { kind: 'unbind', keepsReservation: true },
    ],
    [
      'made for a claim that took another is released',
      volume('pv', deletable, 'Bound', provisioned),
      claim({ volumeName: 'b' }),
      { kind: 'setPhase', phase: 'Released' },
    ],
  ] as const)('%s', (_, subject, owner, expected) => {
    expect(decideVolume(subject, owner)).toEqual(expected);
  });
});
