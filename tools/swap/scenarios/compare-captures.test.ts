import { expect, it } from 'vitest';
import type { CapturedMoment } from '../../scenarios/capture.ts';
import { compareScenarios, type PlayedScenario, type PlayedScenarios } from './compare-captures.ts';

const makers = { provisioner: 'ours', attacher: 'ours', resizer: 'ours' } as const;
const moment: CapturedMoment = {
  scenario: 's',
  moment: 'attached',
  cluster: 'kubernetes',
  makers,
  claims: [],
  volumes: [{ metadata: { name: 'v', finalizers: ['a/b'] }, spec: { zone: 'zone-1' } }],
  attachments: [],
  csiNodes: [],
  leases: [{ metadata: { name: 'external-attacher-leader-d' } }],
  capacities: [],
  events: [],
  volumeCalls: { v: ['CreateVolume OK', 'ControllerPublishVolume OK'] },
  otherCalls: [],
  writes: { provisioner: {}, attacher: {}, resizer: {} },
};
const event = {
  by: 'attacher',
  kind: 'PersistentVolume',
  on: 'v',
  type: 'Warning',
  reason: 'R',
  message: 'm',
  count: 1,
} as const;

function played(changes: Partial<CapturedMoment>): PlayedScenarios {
  return of({ kind: 'passed', moments: [{ ...moment, ...changes }] });
}

function of(scenario: PlayedScenario): PlayedScenarios {
  return new Map([['s', scenario]]);
}

const places = (theirs: PlayedScenarios): string[] =>
  compareScenarios('attacher', played({}), theirs).flatMap(({ differences }) => differences.map(({ place }) => place));
const below = 'attacher in the scenario "s"/attached';

it('captures of the same are the same, whichever node was picked and however often a call was repeated', () => {
  expect(places(played({}))).toEqual([]);
  const volumes = [{ metadata: { name: 'v', finalizers: ['a/b'] }, spec: { zone: 'zone-2' } }];
  const volumeCalls = { v: ['ControllerPublishVolume OK', 'ControllerPublishVolume OK'] };
  expect(places(played({ volumes, volumeCalls }))).toEqual([]);
});

it('a loop device is as good as another', () => {
  const told = (device: string): PlayedScenarios => played({ claims: [{ metadata: { name: 'c' }, status: device }] });
  const results = compareScenarios('resizer', told('/dev/loop0'), told('/dev/loop7'));
  expect(results.flatMap(({ differences }) => differences)).toEqual([]);
});

it('of another sidecar events, calls and leases are not compared', () => {
  const leases = [...moment.leases, { metadata: { name: 'external-resizer-d' } }];
  expect(places(played({ leases, events: [{ ...event, by: 'resizer' }] }))).toEqual([]);
});

it.each<[string, Partial<CapturedMoment>, string]>([
  [
    'a finalizer',
    { volumes: [{ metadata: { name: 'v' }, spec: { zone: 'zone-1' } }] },
    'volumes/v/metadata/finalizers/a/b',
  ],
  ['an event', { events: [event] }, 'events/Warning R on PersistentVolume v'],
  ['a call', { volumeCalls: { v: ['ControllerPublishVolume Internal'] } }, 'calls/v/0'],
  ['a lease', { leases: [] }, 'leases/external-attacher-leader-d/metadata/name'],
])('%s that only one has is a difference', (_, changes, place) => {
  expect(places(played(changes))).toContain(`${below}/${place}`);
});

it('a moment that only one captured is a difference', () => {
  expect(places(of({ kind: 'passed', moments: [] }))).toContain(`${below}/claims`);
});

it('what failed or was not played is a failure, what was skipped is not', () => {
  const failuresOf = (theirs: PlayedScenarios): (string | undefined)[] =>
    compareScenarios('attacher', played({}), theirs).map(({ failure }) => failure);
  expect(failuresOf(of({ kind: 'skipped' }))).toEqual([]);
  expect(failuresOf(of({ kind: 'failed', message: 'boom' }))).toEqual(['theirs: boom']);
  expect(failuresOf(new Map())).toEqual(['not played with the Go one']);
});
