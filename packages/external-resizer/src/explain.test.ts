import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClaimStep, type ClaimView, decideClaim, NOTHING_KNOWN_OF_RESIZE, type ResizeContext } from './decide.ts';
import { decideModify, type ModifyStep, type ModifyView, NOTHING_KNOWN_OF_MODIFY } from './decide-modify.ts';
import { explainModify, explainResize } from './explain.ts';
import { annotations } from './names.ts';

const stamp = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const driverName = 'disk.test';
const later = 60_000;

function claimOf(requested: string, status: object = {}, spec: object = {}): PersistentVolumeClaim {
  return {
    metadata: { name: 'data', namespace: 'ns', uid: 'uid-1', ...stamp },
    spec: { volumeName: 'pv-1', resources: { requests: { storage: requested } }, ...spec },
    status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status },
  };
}

function volumeOf(size = '1Gi', given: Record<string, string> = {}): PersistentVolume {
  return {
    metadata: { name: 'pv-1', uid: 'pv-uid', ...stamp, annotations: given },
    spec: {
      capacity: { storage: size },
      claimRef: { namespace: 'ns', name: 'data', uid: 'uid-1' },
      csi: { driver: driverName, volumeHandle: 'h' },
    },
  };
}

const classes = {
  gold: { metadata: { name: 'gold', uid: 'g', ...stamp }, driverName },
};

const context: ResizeContext = {
  driver: { driverName, canExpand: true, canModify: true, isNodeOnly: false, hasSingleNodeMultiWriter: false },
  rules: { isPreResizeCapacityKept: true },
};
const plain: ClaimView = {
  claim: claimOf('2Gi'),
  volume: volumeOf(),
  facts: NOTHING_KNOWN_OF_RESIZE,
  usingPod: undefined,
  nowMs: 0,
};
const allocated = (status: string) => ({
  allocatedResources: { storage: '2Gi' },
  allocatedResourceStatuses: { storage: status },
});

/** For each outcome a view that leads to it: one more outcome does not compile without. */
const sizes: Record<ClaimStep['kind'], Partial<ClaimView>> = {
  ignore: { claim: claimOf('1Gi') },
  forget: { claim: undefined },
  refuse: { claim: claimOf('much') },
  awaitNode: { claim: claimOf('2Gi', allocated('NodeResizePending')), volume: volumeOf('2Gi') },
  awaitRelease: { facts: { ...NOTHING_KNOWN_OF_RESIZE, isRefusedInUse: true }, usingPod: 'pod-1' },
  delay: {
    claim: claimOf('2Gi', allocated('ControllerResizeInfeasible')),
    facts: { ...NOTHING_KNOWN_OF_RESIZE, restUntilMs: later },
  },
  clearPreResizeCapacity: {
    claim: claimOf('1Gi'),
    volume: volumeOf('1Gi', { [annotations.preResizeCapacity]: '1Gi' }),
  },
  expand: {},
};

const wanting = (name: string, status: object = {}) => claimOf('1Gi', status, { volumeAttributesClassName: name });
const plainModify: ModifyView = {
  claim: wanting('gold'),
  volume: volumeOf(),
  facts: NOTHING_KNOWN_OF_MODIFY,
  classOf: (name) => (name === 'gold' ? classes.gold : undefined),
  nowMs: 0,
};
const refused = { modifyVolumeStatus: { status: 'Infeasible', targetVolumeAttributesClassName: 'gold' } };

const modifications: Record<ModifyStep['kind'], Partial<ModifyView>> = {
  ignore: { claim: claimOf('1Gi') },
  forget: { claim: undefined },
  awaitClass: { claim: wanting('silver') },
  delay: { claim: wanting('gold', refused), facts: { hasFinalError: true, restUntilMs: later } },
  cancel: {
    claim: claimOf('1Gi', { ...refused, conditions: [{ type: 'ModifyingVolume', status: 'True' }] }),
  },
  modify: {},
};

describe('what is said of a decision', () => {
  it.each(Object.entries(sizes))('about a size: %s', (kind, view) => {
    const step = decideClaim({ ...plain, ...view }, context);
    expect(step.kind).toBe(kind);
    expect(step.reason).not.toBe('');
    expect(explainResize(step).text).not.toBe('');
  });

  it.each(Object.entries(modifications))('about a class: %s', (kind, view) => {
    const step = decideModify({ ...plainModify, ...view }, driverName);
    expect(step.kind).toBe(kind);
    expect(step.reason).not.toBe('');
    expect(explainModify(step).text).not.toBe('');
  });

  it('is there whatever is decided, and a claim that is smaller than asked for is never called settled', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(sizes).map(({ claim }) => claim ?? claimOf('2Gi'))),
        fc.constantFrom(volumeOf('1Gi'), volumeOf('2Gi')),
        fc.record({
          hasFinalError: fc.boolean(),
          isRefusedInUse: fc.boolean(),
          restUntilMs: fc.constantFrom(0, later),
        }),
        fc.option(fc.constant('pod-1'), { nil: undefined }),
        (claim, volume, facts, usingPod) => {
          const { standing, text } = explainResize(decideClaim({ claim, volume, facts, usingPod, nowMs: 1 }, context));
          expect(text).toMatch(/\w/);
          expect(standing === 'settled').toBe(claim.spec?.resources?.requests?.storage === '1Gi');
        },
      ),
    );
  });
});
