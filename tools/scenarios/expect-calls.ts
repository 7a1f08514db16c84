import { expect } from 'vitest';
import type { Scene } from './scene.ts';
import { makers } from './settings.ts';

const hasUpstream = Object.values(makers).includes('upstream');

/**
 * The calls that changed a volume since the scenario began, in order: each is made once when it succeeds. The Go sidecars repeat some,
 * as when the attacher hears of its own write late; of theirs the order alone is looked at.
 */
export function expectCalls(scene: Scene, volumeId: string | undefined, expected: readonly string[]): void {
  expect(withoutRepeats(scene.callsOf(volumeId ?? ''))).toEqual(expected);
}

/** As they are, where every sidecar is ours. */
export function withoutRepeats(calls: readonly string[]): readonly string[] {
  return hasUpstream ? calls.filter((call, index) => call !== calls[index - 1]) : calls;
}
