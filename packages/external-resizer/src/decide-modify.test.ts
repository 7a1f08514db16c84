import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideModify, type ModifyFacts, type ModifyStep, type ModifyView } from './decide-modify.ts';

const stamp = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const driverName = 'disk.test';

interface Case {
  wanted?: string;
  current?: string;
  status?: string;
  target?: string;
  phase?: string;
  driver?: string;
  claimUid?: string;
  isModifying?: boolean;
  facts?: Partial<ModifyFacts>;
}

/** There are `gold` and `silver`, and `foreign` of another driver. */
function viewOf(of: Case): ModifyView & { claim: PersistentVolumeClaim; volume: PersistentVolume } {
  const { status, target } = of;
  return {
    claim: {
      metadata: { name: 'data', namespace: 'ns', uid: 'uid-1', ...stamp },
      spec: {
        volumeName: 'pv-1',
        ...(of.wanted === undefined ? {} : { volumeAttributesClassName: of.wanted }),
      },
      status: {
        phase: of.phase ?? 'Bound',
        ...(of.current === undefined ? {} : { currentVolumeAttributesClassName: of.current }),
        ...(status === undefined
          ? {}
          : { modifyVolumeStatus: { status, ...(target ? { targetVolumeAttributesClassName: target } : {}) } }),
        ...(of.isModifying ? { conditions: [{ type: 'ModifyingVolume', status: 'True' }] } : {}),
      },
    },
    volume: {
      metadata: { name: 'pv-1', uid: 'pv-uid', ...stamp },
      spec: {
        claimRef: { namespace: 'ns', name: 'data', uid: of.claimUid ?? 'uid-1' },
        csi: { driver: of.driver ?? driverName, volumeHandle: 'h' },
      },
    },
    facts: { hasFinalError: false, restUntilMs: Number.NEGATIVE_INFINITY, ...of.facts },
    classOf: (name) =>
      ['gold', 'silver', 'foreign'].includes(name)
        ? { metadata: { name, uid: name, ...stamp }, driverName: name === 'foreign' ? 'other.test' : driverName }
        : undefined,
    nowMs: 1_000,
  };
}

/** `modify gold`, with `anew` when the claim has yet to say so; or what it does instead. */
function said(step: ModifyStep): string {
  if (step.kind === 'modify') return `modify ${step.attributesClass.metadata.name}${step.isNewTarget ? ' anew' : ''}`;
  if (step.kind === 'awaitClass') return `await ${step.className}${step.isNewlyPending ? ' anew' : ''}`;
  return step.kind;
}

const outcome = (of: Case): string => said(decideModify(viewOf(of), driverName));
const failed = { facts: { hasFinalError: true } };
const resting = { facts: { hasFinalError: true, restUntilMs: 5_000 } };

describe('the class to change to', () => {
  it.each<[string, Case, string]>([
    ['none asked for', {}, 'ignore'],
    ['the one there is', { wanted: 'gold', current: 'gold' }, 'ignore'],
    ['no class in place of one, which the API does not allow', { current: 'gold' }, 'ignore'],
    ['a first one', { wanted: 'gold' }, 'modify gold anew'],
    ['another one', { wanted: 'silver', current: 'gold' }, 'modify silver anew'],
    ['not bound', { wanted: 'gold', phase: 'Pending' }, 'ignore'],
    ['a lost claim', { wanted: 'gold', phase: 'Lost' }, 'ignore'],
    ['a volume of another driver', { wanted: 'gold', driver: 'other.test' }, 'ignore'],
    ['a volume of another claim', { wanted: 'gold', claimUid: 'uid-0' }, 'ignore'],
    // Under way, as far as anybody knows.
    ['under way', { wanted: 'gold', status: 'InProgress', target: 'gold' }, 'modify gold'],
    ['another while one is under way', { wanted: 'silver', status: 'InProgress', target: 'gold' }, 'modify gold'],
    ['none while one is under way', { status: 'InProgress', target: 'gold' }, 'modify gold'],
    [
      'back while one is under way',
      { wanted: 'silver', current: 'silver', status: 'InProgress', target: 'gold' },
      'modify gold',
    ],
    ['under way without a class', { wanted: 'gold', status: 'InProgress' }, 'modify gold anew'],
    ['under way, and the class is gone', { wanted: 'gold', status: 'InProgress', target: 'old' }, 'await old'],
    [
      'under way, and the class is foreign now',
      { wanted: 'gold', status: 'InProgress', target: 'foreign' },
      'await foreign',
    ],
    // Failed for good.
    ['failed', { ...failed, wanted: 'gold', status: 'InProgress', target: 'gold' }, 'modify gold'],
    [
      'another after a failure',
      { ...failed, wanted: 'silver', status: 'InProgress', target: 'gold' },
      'modify silver anew',
    ],
    ['none after a failure', { ...failed, status: 'InProgress', target: 'gold' }, 'modify gold'],
    ['a missing one after a failure', { ...failed, wanted: 'x', status: 'InProgress', target: 'gold' }, 'await x anew'],
    // Refused.
    ['refused lately', { ...resting, wanted: 'gold', status: 'Infeasible', target: 'gold' }, 'delay'],
    ['refused long ago', { wanted: 'gold', status: 'Infeasible', target: 'gold' }, 'modify gold anew'],
    [
      'another after a refusal',
      { ...resting, wanted: 'silver', status: 'Infeasible', target: 'gold' },
      'modify silver anew',
    ],
    [
      'back after a refusal',
      { ...resting, wanted: 'silver', current: 'silver', status: 'Infeasible', target: 'gold' },
      'modify silver anew',
    ],
    ['none after a refusal', { isModifying: true, status: 'Infeasible', target: 'gold' }, 'cancel'],
    ['none, and that is said', { status: 'Infeasible', target: 'gold' }, 'ignore'],
    // Without its class.
    ['a missing one', { wanted: 'x' }, 'await x anew'],
    ['one still missing', { wanted: 'x', status: 'Pending' }, 'await x'],
    ['another missing one', { wanted: 'y', status: 'Pending' }, 'await y'],
    ['a foreign one', { wanted: 'foreign' }, 'await foreign anew'],
    ['one that came', { wanted: 'gold', status: 'Pending' }, 'modify gold anew'],
    ['none in place of a missing one', { status: 'Pending' }, 'ignore'],
  ])('%s', (_name, of, expected) => {
    expect(outcome(of)).toBe(expected);
  });

  it('a claim that is gone is forgotten', () => {
    expect(said(decideModify({ ...viewOf({}), claim: undefined }, driverName))).toBe('forget');
  });

  it('a rest ends when it ends', () => {
    const step = decideModify(viewOf({ ...resting, wanted: 'gold', status: 'Infeasible', target: 'gold' }), driverName);
    expect(step).toMatchObject({ kind: 'delay', afterMs: 4_000 });
  });
});

const names = fc.constantFrom(undefined, 'gold', 'silver', 'foreign', 'x');
const cases = fc.record(
  {
    wanted: names,
    current: names,
    status: fc.constantFrom(undefined, 'InProgress', 'Pending', 'Infeasible', 'Nonsense'),
    target: names,
    isModifying: fc.boolean(),
    facts: fc.record({ hasFinalError: fc.boolean(), restUntilMs: fc.constantFrom(Number.NEGATIVE_INFINITY, 5_000) }),
  },
  { requiredKeys: [] },
);

/** Without the keys that are undefined. */
function caseOf(drawn: object): Case {
  return Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined));
}

it('never leaves a class whose outcome is unknown, and never calls the driver for a class that is not its own', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const of = caseOf(drawn);
      const step = decideModify(viewOf(of), driverName);
      if (step.kind === 'modify') expect(step.attributesClass.driverName).toBe(driverName);
      if (of.status !== 'InProgress' || of.target === undefined || of.facts?.hasFinalError) return;
      expect(said(step)).toMatch(new RegExp(`^(modify|await) ${of.target}$`));
    }),
  );
});

it('comes to rest once the driver has done what was asked', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const of = caseOf(drawn);
      const step = decideModify(viewOf(of), driverName);
      if (step.kind !== 'modify') return;
      const { status: _status, target: _target, ...rest } = of;
      const after = decideModify(viewOf({ ...rest, current: step.attributesClass.metadata.name }), driverName);
      const isReached = of.wanted === undefined || of.wanted === step.attributesClass.metadata.name;
      expect(after.kind === 'ignore' || after.kind === 'cancel').toBe(isReached);
    }),
  );
});
