import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, type ValueSet } from './value-sets.ts';

// What only Helm's own bookkeeping reads.
const helmsOwn = /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;
const sourceLine = /^# Source: .*\n/gm;

/** A rendered chart as it is kept: without what changes with Helm alone. */
export function asKept(rendered: string): string {
  return rendered
    .replaceAll(helmsOwn, '')
    .replaceAll(sourceLine, '')
    .replace(/^---\n/, '');
}

export function keep({ golden }: ValueSet, rendered: string): void {
  const file = join(root, golden);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, asKept(rendered));
}

/** Undefined when they are equal, else where they begin to differ and what to do. */
export function differenceFrom({ golden, name }: ValueSet, rendered: string): string | undefined {
  const is = asKept(rendered).split('\n');
  const kept = readKept(join(root, golden))?.split('\n');
  const remedy = 'look at the change, then run npm run test:chart -- --update';
  if (kept === undefined) return `${golden} is missing; ${remedy}`;
  const line = is.findIndex((text, at) => text !== kept[at]);
  const at = line === -1 && kept.length > is.length ? is.length : line;
  if (at === -1) return undefined;
  return `${name} differs from ${golden} in line ${at + 1}: ${kept[at] ?? '(end)'} | ${is[at] ?? '(end)'}; ${remedy}`;
}

function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
