import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decidePod, type PodStep, type PodView, restartDelayMs } from './decide.ts';
import type { ContainerState } from './runtime.ts';

const nowMs = 1_000_000;
const none: ContainerState = { kind: 'none' };
const running: ContainerState = { kind: 'running', id: 'r', startedAtMs: nowMs - 5_000, restarts: 0 };

function exited(exitCode: number, over: { restarts?: number; agoMs?: number; ranMs?: number } = {}): ContainerState {
  const finishedAtMs = nowMs - (over.agoMs ?? 0);
  const startedAtMs = finishedAtMs - (over.ranMs ?? 100);
  return { kind: 'exited', id: 'e', exitCode, startedAtMs, finishedAtMs, restarts: over.restarts ?? 0 };
}

function view(over: Partial<PodView> & { readonly app?: ContainerState; readonly init?: ContainerState }): PodView {
  const { app, init, ...rest } = over;
  return {
    ending: undefined,
    restartPolicy: 'Always',
    initContainers: init === undefined ? [] : [{ name: 'init', state: init }],
    containers: [{ name: 'app', state: app ?? none }],
    areVolumesReady: true,
    hasMounts: true,
    nowMs,
    ...rest,
  };
}

const startApp = (restarts: number): PodStep => ({ kind: 'start', container: 'app', restarts });
const ending = (over: Partial<NonNullable<PodView['ending']>> = {}) => ({
  sinceMs: nowMs,
  graceMs: 30_000,
  isSignalled: false,
  ...over,
});

describe('decidePod', () => {
  const table: readonly [string, PodView, PodStep][] = [
    ['waits for volumes', view({ areVolumesReady: false }), { kind: 'awaitVolumes' }],
    [
      'runs on when they are no longer its own',
      view({ app: running, areVolumesReady: false }),
      { kind: 'await', checkAfterMs: undefined },
    ],
    ['does not start again without them', view({ app: exited(1), areVolumesReady: false }), { kind: 'awaitVolumes' }],
    ['starts once they are there', view({}), startApp(0)],
    ['waits for an event while all runs', view({ app: running }), { kind: 'await', checkAfterMs: undefined }],
    ['starts again at once the first time', view({ app: exited(1) }), startApp(1)],
    ['waits before the next', view({ app: exited(1, { restarts: 1 }) }), { kind: 'await', checkAfterMs: 1_000 }],
    ['counts the wait from the end', view({ app: exited(1, { restarts: 1, agoMs: 1_000 }) }), startApp(2)],
    ['forgives after a long run', view({ app: exited(1, { restarts: 9, ranMs: 20_000 }) }), startApp(10)],
    ['Always: starts what succeeded', view({ app: exited(0) }), startApp(1)],
    [
      'OnFailure: is done',
      view({ app: exited(0), restartPolicy: 'OnFailure' }),
      { kind: 'finish', phase: 'Succeeded' },
    ],
    ['OnFailure: starts what failed', view({ app: exited(1), restartPolicy: 'OnFailure' }), startApp(1)],
    ['Never: has failed', view({ app: exited(1), restartPolicy: 'Never' }), { kind: 'finish', phase: 'Failed' }],
    [
      'needs no volumes to be done',
      view({ app: exited(0), restartPolicy: 'Never', areVolumesReady: false }),
      { kind: 'finish', phase: 'Succeeded' },
    ],
    ['runs init containers first', view({ init: none }), { kind: 'start', container: 'init', restarts: 0 }],
    ['waits for them', view({ init: running }), { kind: 'await', checkAfterMs: undefined }],
    ['goes on after them', view({ init: exited(0) }), startApp(0)],
    ['Always: tries a failed one again', view({ init: exited(1) }), { kind: 'start', container: 'init', restarts: 1 }],
    ['Never: fails with one', view({ init: exited(1), restartPolicy: 'Never' }), { kind: 'finish', phase: 'Failed' }],
    ['asks it to end', view({ app: running, ending: ending() }), { kind: 'terminate' }],
    [
      'waits for the rest of its grace',
      view({ app: running, ending: ending({ isSignalled: true, sinceMs: nowMs - 10_000 }) }),
      { kind: 'await', checkAfterMs: 20_000 },
    ],
    [
      'kills it then',
      view({ app: running, ending: ending({ isSignalled: true, sinceMs: nowMs - 30_000 }) }),
      { kind: 'kill' },
    ],
    ['kills at once without grace', view({ app: running, ending: ending({ graceMs: 0 }) }), { kind: 'kill' }],
    ['ends init containers too', view({ init: running, ending: ending() }), { kind: 'terminate' }],
    ['keeps a pod whose volumes are mounted', view({ app: exited(0), ending: ending() }), { kind: 'awaitUnmount' }],
    ['removes it after', view({ app: exited(0), ending: ending(), hasMounts: false }), { kind: 'remove' }],
    ['removes what never started', view({ ending: ending(), hasMounts: false }), { kind: 'remove' }],
  ];
  it.each(table)('%s', (_, seen, step) => {
    expect(decidePod(seen)).toEqual(step);
  });

  const state = fc.oneof(
    fc.constant(none),
    fc.constant(running),
    fc
      .record({ code: fc.integer({ min: 0, max: 255 }), restarts: fc.nat(20) })
      .map(({ code, restarts }) => exited(code, { restarts })),
  );
  const anyView = fc.record({
    ending: fc.option(
      fc.record({ sinceMs: fc.integer({ min: 0, max: nowMs }), graceMs: fc.nat(60_000), isSignalled: fc.boolean() }),
      { nil: undefined },
    ),
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never' as const),
    initContainers: fc.array(
      state.map((s) => ({ name: 'init', state: s })),
      { maxLength: 2 },
    ),
    containers: fc.array(
      state.map((s) => ({ name: 'app', state: s })),
      { minLength: 1, maxLength: 3 },
    ),
    areVolumesReady: fc.boolean(),
    hasMounts: fc.boolean(),
    nowMs: fc.constant(nowMs),
  });

  it('never lets volumes go, or a pod, while a process of it runs', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const isRunning = [...seen.initContainers, ...seen.containers].some(({ state: s }) => s.kind === 'running');
        const step = decidePod(seen);
        if (isRunning && seen.ending !== undefined) {
          expect(['await', 'terminate', 'kill']).toContain(step.kind);
        }
        if (seen.ending !== undefined || !seen.areVolumesReady) {
          expect(step.kind).not.toBe('start');
        }
      }),
    );
  });
});

it('restartDelayMs doubles from 1 s to 10 s', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((restarts) => restartDelayMs(restarts, 0))).toEqual([
    0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ]);
});
