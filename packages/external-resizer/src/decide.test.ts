import { formatBytes, parseBytes } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClaimFacts, type ClaimView, decideClaim, type ResizeContext } from './decide.ts';
import { annotations, resourceStatuses } from './names.ts';

const GI = 1024n ** 3n;
const stamp = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

interface Case {
  phase?: string;
  requested: string;
  actual?: string;
  allocated?: string | undefined;
  status?: string | undefined;
  volume: string;
  driver?: string;
  conditions?: { type: string; status: string }[];
  volumeAnnotations?: Record<string, string>;
  facts?: Partial<ClaimFacts>;
  usingPod?: string;
  isNodeOnly?: boolean;
  isCleared?: boolean;
}

function viewOf(of: Case): {
  view: ClaimView & { claim: PersistentVolumeClaim; volume: PersistentVolume };
  context: ResizeContext;
} {
  const claim: PersistentVolumeClaim = {
    metadata: { name: 'data', namespace: 'ns', uid: 'uid-1', ...stamp },
    spec: { volumeName: 'pv-1', resources: { requests: { storage: of.requested } } },
    status: {
      phase: of.phase ?? 'Bound',
      ...(of.actual === undefined ? {} : { capacity: { storage: of.actual } }),
      ...(of.allocated === undefined ? {} : { allocatedResources: { storage: of.allocated } }),
      ...(of.status === undefined ? {} : { allocatedResourceStatuses: { storage: of.status } }),
      ...(of.conditions === undefined ? {} : { conditions: of.conditions }),
    },
  };
  const volume: PersistentVolume = {
    metadata: { name: 'pv-1', uid: 'pv-uid', ...stamp, annotations: of.volumeAnnotations ?? {} },
    spec: {
      capacity: { storage: of.volume },
      claimRef: { namespace: 'ns', name: 'data', uid: 'uid-1' },
      csi: { driver: of.driver ?? 'disk.test', volumeHandle: 'h' },
    },
  };
  return {
    view: {
      claim,
      volume,
      facts: { hasFinalError: false, isRefusedInUse: false, restUntilMs: Number.NEGATIVE_INFINITY, ...of.facts },
      usingPod: of.usingPod,
      nowMs: 1_000,
    },
    context: {
      driver: {
        driverName: 'disk.test',
        canExpand: true,
        canModify: false,
        isNodeOnly: of.isNodeOnly ?? false,
        hasSingleNodeMultiWriter: false,
      },
      rules: { isPreResizeCapacityKept: of.isCleared ?? false },
    },
  };
}

function decide(of: Case) {
  const { view, context } = viewOf(of);
  return decideClaim(view, context);
}

/** The size it would expand to, or what it does instead. */
function outcome(of: Case): string {
  const step = decide(of);
  return step.kind === 'expand' ? step.target.text : step.kind;
}

const { controllerInProgress, controllerInfeasible, nodePending, nodeInProgress, nodeInfeasible } = resourceStatuses;

describe('the target size', () => {
  it.each<[string, Case, string]>([
    // The volume is smaller than what is asked for.
    ['a first expansion', { requested: '3Gi', actual: '1Gi', volume: '1Gi' }, '3Gi'],
    [
      'a size that the node called impossible',
      { requested: '5Gi', actual: '1Gi', volume: '1Gi', allocated: '3Gi', status: nodeInfeasible },
      '3Gi',
    ],
    [
      'the same with nothing recorded',
      { requested: '5Gi', actual: '1Gi', volume: '1Gi', status: nodeInfeasible },
      '5Gi',
    ],
    [
      'a node still to finish an earlier size',
      { requested: '5Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodePending },
      'awaitNode',
    ],
    [
      'the same while the node is at it',
      { requested: '5Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodeInProgress },
      'awaitNode',
    ],
    [
      'a node pending on a volume that never grew',
      { requested: '5Gi', actual: '1Gi', volume: '1Gi', allocated: '3Gi', status: nodePending },
      '3Gi',
    ],
    [
      'an expansion with unknown outcome',
      { requested: '5Gi', actual: '1Gi', volume: '1Gi', allocated: '3Gi', status: controllerInProgress },
      '3Gi',
    ],
    [
      'the same with a lower request',
      { requested: '2Gi', actual: '1Gi', volume: '1Gi', allocated: '9Gi', status: controllerInProgress },
      '9Gi',
    ],
    [
      'an expansion that failed for good',
      {
        requested: '2Gi',
        actual: '1Gi',
        volume: '1Gi',
        allocated: '9Gi',
        status: controllerInProgress,
        facts: { hasFinalError: true },
      },
      '2Gi',
    ],
    [
      'recovery from a size the driver called impossible',
      { requested: '2Gi', actual: '1Gi', volume: '1Gi', allocated: '9Gi', status: controllerInfeasible },
      '2Gi',
    ],
    // The volume is as large as asked for, the claim does not know.
    [
      'a node to finish',
      { requested: '3Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodePending },
      'awaitNode',
    ],
    [
      'a node at it',
      { requested: '3Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodeInProgress },
      'awaitNode',
    ],
    [
      'a size the node called impossible',
      { requested: '2Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodeInfeasible },
      '3Gi',
    ],
    [
      'the same for a driver that expands on the node alone',
      { requested: '2Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: nodeInfeasible, isNodeOnly: true },
      '2Gi',
    ],
    [
      'a crash between volume and claim',
      { requested: '3Gi', actual: '1Gi', volume: '4Gi', allocated: '3Gi', status: controllerInProgress },
      '3Gi',
    ],
    [
      'a lower request over an impossible size',
      { requested: '2Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi', status: controllerInfeasible },
      '3Gi',
    ],
    ['no state but a recorded size', { requested: '2Gi', actual: '1Gi', volume: '3Gi', allocated: '3Gi' }, '3Gi'],
    ['no state at all', { requested: '3Gi', actual: '1Gi', volume: '3Gi' }, '3Gi'],
    [
      'an old API server whose node is still to finish',
      {
        requested: '3Gi',
        actual: '1Gi',
        volume: '3Gi',
        conditions: [{ type: 'FileSystemResizePending', status: 'True' }],
      },
      'awaitNode',
    ],
  ])('for %s', (_name, of, expected) => {
    expect(outcome(of)).toBe(expected);
  });
});

it.each<[string | undefined, string | undefined, boolean]>([
  [undefined, undefined, true],
  ['2Gi', controllerInfeasible, true],
  ['3Gi', undefined, true],
  ['3Gi', controllerInProgress, false],
  ['3Gi', controllerInfeasible, false],
])('with %s allocated and status %s it is a new target: %s', (allocated, status, isNewTarget) => {
  expect(decide({ requested: '3Gi', actual: '1Gi', volume: '1Gi', allocated, status })).toMatchObject({ isNewTarget });
});

describe('nothing is done for', () => {
  it.each<[string, Case]>([
    ['a claim that has what it asks for', { requested: '1Gi', actual: '1Gi', volume: '1Gi' }],
    ['a fraction of a byte that is rounded up already', { requested: '1023.5', actual: '1024', volume: '1024' }],
    [
      'a claim that asks for less',
      { requested: '1Gi', actual: '2Gi', volume: '2Gi', allocated: '9Gi', status: controllerInfeasible },
    ],
    ['a claim that is not bound', { requested: '2Gi', actual: '1Gi', volume: '1Gi', phase: 'Pending' }],
    ['a claim without a size', { requested: '2Gi', volume: '1Gi' }],
    ["another driver's volume", { requested: '2Gi', actual: '1Gi', volume: '1Gi', driver: 'other' }],
  ])('%s', (_name, of) => {
    expect(decide(of)).toMatchObject({ kind: 'ignore' });
  });

  it('a claim without a volume, or whose volume is not there or bound to another', () => {
    const { view, context } = viewOf({ requested: '2Gi', actual: '1Gi', volume: '1Gi' });
    expect(decideClaim({ ...view, volume: undefined }, context).kind).toBe('ignore');
    expect(decideClaim({ ...view, claim: { ...view.claim, spec: {} } }, context).kind).toBe('ignore');
    const { spec } = view.volume;
    const foreign = { ...view.volume, spec: { ...spec, claimRef: { namespace: 'ns', name: 'data', uid: 'earlier' } } };
    expect(decideClaim({ ...view, volume: foreign }, context).kind).toBe('ignore');
  });
});

it('forgets a claim that is gone', () => {
  const { view, context } = viewOf({ requested: '2Gi', actual: '1Gi', volume: '1Gi' });
  expect(decideClaim({ ...view, claim: undefined }, context)).toMatchObject({ kind: 'forget' });
});

describe('a size that the driver called impossible', () => {
  const impossible: Case = {
    requested: '9Gi',
    actual: '1Gi',
    volume: '1Gi',
    allocated: '9Gi',
    status: controllerInfeasible,
  };

  it('rests', () => {
    expect(decide({ ...impossible, facts: { restUntilMs: 301_000 } })).toMatchObject({
      kind: 'delay',
      afterMs: 300_000,
    });
  });
  it('is tried once the rest is over, and once after a restart', () => {
    expect(decide({ ...impossible, facts: { restUntilMs: 1_000 } })).toMatchObject({
      kind: 'expand',
      isNewTarget: false,
    });
    expect(decide(impossible)).toMatchObject({ kind: 'expand', isNewTarget: false });
  });
  it('does not hold back another size', () => {
    const lowered = decide({ ...impossible, requested: '2Gi', facts: { restUntilMs: 301_000 } });
    expect(lowered).toMatchObject({ kind: 'expand', isNewTarget: true, target: { bytes: 2n * GI } });
  });
});

describe('a driver that only expands unused volumes', () => {
  const refused: Case = { requested: '2Gi', actual: '1Gi', volume: '1Gi', facts: { isRefusedInUse: true } };
  it('is not called while a pod uses the volume', () => {
    expect(decide({ ...refused, usingPod: 'web-0' })).toMatchObject({
      kind: 'awaitRelease',
      reason: expect.stringContaining('pod "web-0"'),
    });
  });
  it('is called when none does, or when it has not refused', () => {
    expect(decide(refused).kind).toBe('expand');
    expect(decide({ ...refused, facts: {}, usingPod: 'web-0' }).kind).toBe('expand');
  });
});

describe('the pre-resize capacity', () => {
  const caughtUp: Case = {
    requested: '2Gi',
    actual: '2Gi',
    volume: '2Gi',
    volumeAnnotations: { [annotations.preResizeCapacity]: '1Gi' },
    isCleared: true,
  };
  it('is cleared with the gate once the node has caught up', () => {
    expect(decide(caughtUp).kind).toBe('clearPreResizeCapacity');
    expect(decide({ ...caughtUp, actual: '1Gi', status: nodePending }).kind).toBe('awaitNode');
    expect(decide({ ...caughtUp, isCleared: false }).kind).toBe('ignore');
    expect(decide({ ...caughtUp, volumeAnnotations: {} }).kind).toBe('ignore');
    expect(decide({ ...caughtUp, driver: 'other' }).kind).toBe('ignore');
  });
});

it.each(['9Ei', 'plenty', ''])('refuses a request of "%s" with the reason', (requested) => {
  const step = decide({ requested, actual: '1Gi', volume: '1Gi' });
  expect(step).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(requested) });
});

const gibibytes = fc.integer({ min: 1, max: 6 }).map((count) => formatBytes(BigInt(count) * GI));
const anyCase = fc.record({
  requested: gibibytes,
  actual: gibibytes,
  allocated: fc.option(gibibytes, { nil: undefined }),
  status: fc.option(fc.constantFrom(...Object.values(resourceStatuses), 'SomethingNew'), { nil: undefined }),
  volume: gibibytes,
  isNodeOnly: fc.boolean(),
  facts: fc.record({ hasFinalError: fc.boolean() }),
});

it('only ever expands to what is asked for or was started, and only upwards of what the claim has', () => {
  fc.assert(
    fc.property(anyCase, (of) => {
      const step = decide(of);
      if (step.kind !== 'expand') return;
      expect([of.requested, of.allocated]).toContain(step.target.text);
      expect(parseBytes(of.requested)).toBeGreaterThan(parseBytes(of.actual));
    }),
  );
});

it('never leaves an expansion with unknown outcome for another size', () => {
  fc.assert(
    fc.property(anyCase, (of) => {
      const step = decide({ ...of, status: controllerInProgress, facts: { hasFinalError: false } });
      if (step.kind === 'expand' && of.allocated !== undefined) expect(step.target.text).toBe(of.allocated);
    }),
  );
});

it('never calls the driver while a node has to finish a size that the volume already has', () => {
  fc.assert(
    fc.property(anyCase, fc.constantFrom(nodePending, nodeInProgress), (of, status) => {
      const started = parseBytes(of.allocated ?? of.requested);
      if (parseBytes(of.volume) < started && parseBytes(of.volume) < parseBytes(of.requested)) return;
      expect(['ignore', 'awaitNode']).toContain(decide({ ...of, status }).kind);
    }),
  );
});

it('has an answer for whatever text stands where a size should', () => {
  const text = fc.oneof(
    fc.string(),
    gibibytes,
    fc.constantFrom('1.5', '-1', '1e400', '0', '9223372036854775807', '9Ei'),
  );
  fc.assert(
    fc.property(text, text, text, text, (requested, actual, allocated, volume) => {
      expect(() => decide({ requested, actual, allocated, volume })).not.toThrow();
    }),
  );
});
