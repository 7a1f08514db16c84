import type { PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimProgress } from './claim-progress.ts';
import { type ClaimStep, type ClaimView, decideClaim, type ProvisionContext } from './decide.ts';
import { annotations } from './names.ts';
import type { VolumePlan } from './plan.ts';
import { claimOf, classOf, noTopology, rules, traits, volumeOf } from './testing/objects.ts';

const plainContext: ProvisionContext = { driver: traits, rules, cluster: noTopology };

function decide(view: Partial<ClaimView>, context: Partial<ProvisionContext> = {}): ClaimStep {
  const whole = {
    claim: claimOf(),
    storageClass: classOf(),
    volume: undefined,
    progress: undefined,
    infeasible: undefined,
  };
  return decideClaim({ ...whole, ...view }, { ...plainContext, ...context });
}

function planOf(view: Partial<ClaimView> = {}, context: Partial<ProvisionContext> = {}): VolumePlan {
  const step = decide(view, context);
  if (step.kind !== 'create') throw new Error(`expected create, got ${step.kind}: ${step.reason}`);
  return step.plan;
}

const waiting = classOf({ volumeBindingMode: 'WaitForFirstConsumer' });

describe('decideClaim', () => {
  it.each<[string, Partial<ClaimView>, ClaimStep['kind'], string]>([
    ['a claim without volume', {}, 'create', ''],
    [
      'a claim under deletion, whose volume may exist',
      { claim: claimOf({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
      'create',
      '',
    ],
    ['a claim that is gone', { claim: undefined }, 'forget', 'gone'],
    ['a bound claim', { claim: claimOf({ volumeName: 'pv' }) }, 'forget', 'has its volume pv'],
    [
      'another’s claim',
      { claim: claimOf({}, { annotations: { [annotations.storageProvisioner]: 'other' } }) },
      'ignore',
      'another provisioner',
    ],
    ['another’s class', { storageClass: classOf({ provisioner: 'other' }) }, 'ignore', 'provisioner other'],
    ['no class', { storageClass: undefined }, 'refuse', 'StorageClass fast does not exist: create it'],
    ['delayed binding without a node', { storageClass: waiting }, 'await', 'chosen no node yet'],
    [
      'delayed binding with a node',
      { storageClass: waiting, claim: claimOf({}, { annotations: { [annotations.selectedNode]: 'n1' } }) },
      'create',
      '',
    ],
    ['our volume, not bound yet', { volume: volumeOf() }, 'await', 'waits to be bound'],
    [
      'another’s volume of the same name',
      { volume: volumeOf({ claimRef: { uid: 'x' } }) },
      'refuse',
      'delete it, or the claim',
    ],
    ['a volume stored and gone again', { progress: { kind: 'saved', volumeName: 'pvc-1' } }, 'confirm', 'pvc-1'],
    [
      'a populated claim',
      { claim: claimOf({ dataSourceRef: { kind: 'Book', name: 'b' } }) },
      'leaveToPopulator',
      'populator',
    ],
    [
      'a snapshot of no group',
      { claim: claimOf({ dataSource: { kind: 'VolumeSnapshot', name: 's' } }) },
      'refuse',
      'set it to snapshot.storage.k8s.io',
    ],
    [
      'a snapshot',
      { claim: claimOf({ dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' } }) },
      'lookUp',
      'filled',
    ],
    [
      'a source in another namespace, behind its gate',
      { claim: claimOf({ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'c', namespace: 'other' } }) },
      'refuse',
      'CrossNamespaceVolumeDataSource',
    ],
    ['a clone', { claim: claimOf({ dataSource: { kind: 'PersistentVolumeClaim', name: 'c' } }) }, 'lookUp', 'filled'],
    [
      'a VolumeAttributesClass',
      { claim: claimOf({ volumeAttributesClassName: 'gold' }) },
      'retry',
      'VolumeAttributesClass gold does not exist',
    ],
    ['a selector', { claim: claimOf({ selector: {} }) }, 'refuse', 'spec.selector'],
    ['no access mode', { claim: claimOf({ accessModes: [] }) }, 'refuse', 'spec.accessModes'],
    ['an access mode nobody knows', { claim: claimOf({ accessModes: ['Often'] }) }, 'refuse', 'Often'],
    [
      'ReadWriteOncePod beside another',
      { claim: claimOf({ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }) },
      'refuse',
      'alone',
    ],
    ['size zero', { claim: claimOf({ resources: { requests: { storage: '0' } } }) }, 'refuse', '"0"'],
    [
      'an unknown reserved parameter',
      { storageClass: classOf({ parameters: { 'csi.storage.k8s.io/nope': '1' } }) },
      'refuse',
      'nope',
    ],
    [
      'half a secret',
      { storageClass: classOf({ parameters: { 'csi.storage.k8s.io/secret-name': 's' } }) },
      'refuse',
      'belong together',
    ],
    ['parameters called invalid', { infeasible: { storageClassUid: 'uid-fast', remainingMs: 7 } }, 'delay', 'invalid'],
    ['a new class after that', { infeasible: { storageClassUid: 'uid-old', remainingMs: 7 } }, 'create', ''],
  ])('%s', (_, view, kind, text) => {
    const step = decide(view);
    expect(step.kind).toBe(kind);
    expect(step.reason).toContain(text);
  });

  it('names the driver when it cannot create volumes', () => {
    const step = decide({}, { driver: { ...traits, canCreateVolumes: false } });
    expect(step).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(traits.driverName) });
  });

  it('goes on with what was begun, whatever became of claim, class and volume', () => {
    const plan = planOf();
    const draft = { metadata: { name: 'pvc-uid-data' } };
    const begun: [ClaimProgress, ClaimStep['kind']][] = [
      [{ kind: 'creating', plan }, 'create'],
      [{ kind: 'created', plan, draft, volumeId: 'vol-1' }, 'save'],
      [{ kind: 'unwanted', plan, volumeId: 'v', why: 'small' }, 'discard'],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...begun),
        fc.constantFrom<(PersistentVolumeClaim | undefined)[]>(undefined, claimOf(), claimOf({ volumeName: 'other' })),
        fc.constantFrom<(StorageClass | undefined)[]>(undefined, classOf({ parameters: { tier: 'new' } })),
        ([progress, kind], claim, storageClass) => {
          const step = decide({ claim, storageClass, progress });
          expect(step.kind).toBe(kind);
          expect(step).toHaveProperty('plan', plan);
        },
      ),
    );
  });

  it('decides the same for the same view', () => {
    expect(decide({})).toEqual(decide({}));
  });

  it('reads the beta annotation before the field for the class', () => {
    const step = decide({
      storageClass: undefined,
      claim: claimOf({}, { annotations: { [annotations.betaStorageClass]: 'slow' } }),
    });
    expect(step).toMatchObject({ kind: 'refuse', className: 'slow' });
  });

  it('asks the scheduler again when the selected node is gone, and waits when it is not ready', () => {
    const claim = claimOf({}, { annotations: { [annotations.selectedNode]: 'n1' } });
    const driver = { ...traits, hasTopology: true };
    expect(decide({ claim, storageClass: waiting }, { driver })).toMatchObject({ kind: 'reschedule', node: 'n1' });
    const cluster = { ...noTopology, keysOf: () => [] };
    expect(decide({ claim, storageClass: waiting }, { driver, cluster })).toMatchObject({ kind: 'retry' });
  });
});

describe('the plan of a volume', () => {
  it('asks for one capability per access mode, with the class’s file system and mount options', () => {
    const storageClass = classOf({
      mountOptions: ['noatime'],
      parameters: { 'csi.storage.k8s.io/fstype': 'xfs', tier: 'gold' },
    });
    const { request } = planOf({ storageClass, claim: claimOf({ accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }) });
    expect(request).toMatchObject({
      name: 'pvc-uid-data',
      capacityRange: { requiredBytes: 1073741824n, limitBytes: 0n },
      parameters: { tier: 'gold' },
    });
    const mount = { $case: 'mount', value: { fsType: 'xfs', mountFlags: ['noatime'], volumeMountGroup: '' } };
    expect(request.volumeCapabilities).toEqual([
      { accessType: mount, accessMode: { mode: 1 } },
      { accessType: mount, accessMode: { mode: 3 } },
    ]);
  });

  it('asks for a raw device without a file system', () => {
    const plan = planOf({ claim: claimOf({ volumeMode: 'Block' }) }, { rules: { ...rules, defaultFsType: 'ext4' } });
    expect(plan.fsType).toBe('');
    expect(plan.request.volumeCapabilities[0]?.accessType).toEqual({ $case: 'block', value: {} });
  });

  it('adds the names of claim and volume only with --extra-create-metadata', () => {
    expect(planOf().request.parameters).toEqual({});
    expect(planOf({}, { rules: { ...rules, hasExtraCreateMetadata: true } }).request.parameters).toEqual({
      'csi.storage.k8s.io/pvc/name': 'data',
      'csi.storage.k8s.io/pvc/namespace': 'team-a',
      'csi.storage.k8s.io/pv/name': 'pvc-uid-data',
    });
  });

  it('shortens the uid as the flag says', () => {
    const claim = claimOf({}, { uid: '01234567-89ab-cdef-0123-456789abcdef' });
    const naming = { prefix: 'vol', uuidLength: 10 };
    expect(planOf({ claim }, { rules: { ...rules, naming } }).volumeName).toBe('vol-0123456789');
  });

  it('publishes read-only only a claim that is ReadOnlyMany alone, and only with the flag', () => {
    const readOnly = { rules: { ...rules, isPublishReadonly: true } };
    expect(planOf({ claim: claimOf({ accessModes: ['ReadOnlyMany'] }) }, readOnly).isReadOnly).toBe(true);
    expect(planOf({ claim: claimOf({ accessModes: ['ReadOnlyMany', 'ReadWriteMany'] }) }, readOnly).isReadOnly).toBe(
      false,
    );
    expect(planOf({ claim: claimOf({ accessModes: ['ReadOnlyMany'] }) }).isReadOnly).toBe(false);
  });
});
