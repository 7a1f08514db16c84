import { pluginOfDriver } from '@holdfast/migration';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimProgress } from './claim-progress.ts';
import { type ClaimStep, type ClaimView, decideClaim, type ProvisionContext } from './decide.ts';
import { decideVolume, type VolumeStep, type VolumeView } from './decide-volume.ts';
import { explainClaim, explainVolume } from './explain.ts';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import type { NodeRole } from './node-role.ts';
import { claimOf, classOf, driverName, noTopology, rules, traits, volumeOf } from './testing/objects.ts';

const plainContext: ProvisionContext = { driver: traits, rules, cluster: noTopology };
const plainView: ClaimView = {
  claim: claimOf(),
  storageClass: classOf(),
  volume: undefined,
  progress: undefined,
  infeasible: undefined,
};
const role: NodeRole = {
  nodeName: 'n1',
  segments: undefined,
  isImmediateBinding: true,
  baseDelayMs: 1,
  maxDelayMs: 2,
};

function planOf() {
  const step = decideClaim(plainView, plainContext);
  if (step.kind !== 'create') throw new Error(step.reason);
  return step.plan;
}

const plan = planOf();
const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
const onNode = claimOf({}, { annotations: { [annotations.selectedNode]: 'n1' } });
const placing = { driver: { ...traits, hasTopology: true } };

/** For each outcome a view that leads to it: one more outcome does not compile without. */
const claims: Record<ClaimStep['kind'], [Partial<ClaimView>, Partial<ProvisionContext>]> = {
  ignore: [{ storageClass: classOf({ provisioner: 'other' }) }, {}],
  await: [{ volume: volumeOf() }, {}],
  leaveToPopulator: [{ claim: claimOf({ dataSourceRef: { kind: 'Book', name: 'b' } }) }, {}],
  forget: [{ claim: undefined }, {}],
  refuse: [{ storageClass: undefined }, {}],
  retry: [{ claim: onNode }, { ...placing, cluster: { ...noTopology, keysOf: () => [] } }],
  delay: [{ infeasible: { storageClassUid: 'uid-fast', remainingMs: 7 } }, {}],
  reschedule: [{ claim: onNode }, placing],
  queueUp: [{}, { node: role }],
  contend: [{ contentionMs: 0 }, { node: role }],
  lookUp: [{ claim: claimOf({ dataSource: snapshot }) }, {}],
  confirm: [{ progress: { kind: 'saved', volumeName: 'pvc-1' } }, {}],
  create: [{}, {}],
  save: [{ progress: { kind: 'created', plan, draft: { metadata: { name: 'pvc-1' } }, volumeId: 'v' } }, {}],
  discard: [{ progress: { kind: 'unwanted', plan, volumeId: 'v', why: 'small' } }, {}],
};

const inTree = volumeOf(
  { gcePersistentDisk: { pdName: 'disk' } },
  { annotations: { [annotations.migratedTo]: driverName }, labels: { 'topology.kubernetes.io/zone': 'a__b' } },
);
const driver = { ...traits, plugin: pluginOfDriver('pd.csi.storage.gke.io') };

const volumes: Record<VolumeStep['kind'], Partial<VolumeView>> = {
  ignore: { volume: volumeOf({}, {}, 'Failed') },
  forget: { volume: undefined },
  wait: { attachedNodes: ['n1'] },
  leaveToOthers: { stage: 'objectDeleted' },
  protect: { volume: volumeOf({}, {}, 'Bound') },
  unprotect: { volume: volumeOf({ persistentVolumeReclaimPolicy: 'Retain' }, { finalizers: [VOLUME_FINALIZER] }) },
  delete: {},
  refuse: { volume: inTree },
  removeObject: { stage: 'volumeDeleted' },
};

const plainVolumeView: VolumeView = { volume: volumeOf(), attachedNodes: [], stage: undefined };

describe('what is said of a decision', () => {
  it.each(Object.entries(claims))('about a claim: %s', (kind, [view, context]) => {
    const step = decideClaim({ ...plainView, ...view }, { ...plainContext, ...context });
    expect(step.kind).toBe(kind);
    expect(step.reason).not.toBe('');
    expect(explainClaim(step).text).not.toBe('');
  });

  it.each(Object.entries(volumes))('about a volume: %s', (kind, view) => {
    const step = decideVolume({ ...plainVolumeView, ...view }, driver);
    expect(step.kind).toBe(kind);
    expect(step.reason).not.toBe('');
    expect(explainVolume(step).text).not.toBe('');
  });

  it('is there whatever is decided, and says that it waits only of what this program does not do', () => {
    const progress: (ClaimProgress | undefined)[] = [undefined, { kind: 'creating', plan }];
    const ours: readonly ClaimStep['kind'][] = ['create', 'save', 'discard', 'confirm', 'lookUp', 'contend', 'queueUp'];
    fc.assert(
      fc.property(
        fc.record({
          claim: fc.constantFrom(undefined, ...Object.values(claims).map(([{ claim }]) => claim ?? claimOf())),
          storageClass: fc.constantFrom(undefined, classOf(), classOf({ volumeBindingMode: 'WaitForFirstConsumer' })),
          volume: fc.constantFrom(undefined, volumeOf(), volumeOf({ claimRef: { uid: 'x' } })),
          progress: fc.constantFrom(...progress, ...Object.values(claims).map(([view]) => view.progress)),
          infeasible: fc.option(fc.record({ storageClassUid: fc.constant('uid-fast'), remainingMs: fc.nat() }), {
            nil: undefined,
          }),
          contentionMs: fc.option(fc.nat(5), { nil: undefined }),
        }),
        fc.constantFrom(...Object.values(claims).map(([, context]) => context)),
        (view, context) => {
          const step = decideClaim(view, { ...plainContext, ...context });
          const { standing, text } = explainClaim(step);
          expect(text).toMatch(/\w/);
          if (ours.includes(step.kind)) expect(standing).toBe('due');
        },
      ),
    );
  });
});
