// The leaves in which two recordings differ. Pure.
import type { Recording } from './recording.ts';

export interface Difference {
  /** `case/moment/part/…/leaf`. */
  readonly place: string;
  /** As JSON; `-` where there is none. */
  readonly ours: string;
  readonly theirs: string;
}

export function recordingDifferences(place: string, ours: Recording, theirs: Recording): Difference[] {
  const [our, their] = [leaves(ours), leaves(theirs)];
  return [...new Set([...our.keys(), ...their.keys()])].flatMap((path) => {
    const [left, right] = [our.get(path) ?? '-', their.get(path) ?? '-'];
    return left === right ? [] : [{ place: `${place}/${path}`, ours: left, theirs: right }];
  });
}

function leaves(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null) {
    found.set(path, JSON.stringify(value) ?? '-');
    return found;
  }
  const entries = Object.entries(value);
  // An empty object is there; an absent one is not.
  if (entries.length === 0 && path !== '') found.set(path, Array.isArray(value) ? '[]' : '{}');
  for (const [key, each] of entries) leaves(each, path === '' ? key : `${path}/${key}`, found);
  return found;
}
