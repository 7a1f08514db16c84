import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sweep } from './temporary-folder.ts';

it('a folder whose process is gone is swept, that of a living one is not', () => {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-sweep-'));
  try {
    const { pid: gone } = spawnSync('true');
    const [stale, living, foreign] = [
      `holdfast-rig-${gone}-kubernetes-abcdef`,
      `holdfast-rig-${process.pid}-rig-abcdef`,
      'holdfast-rig-notes',
    ].map((name) => join(parent, name));
    for (const path of [stale, living, foreign]) mkdirSync(join(path ?? '', 'pool'), { recursive: true });
    sweep(parent);
    expect([stale, living, foreign].map((path) => existsSync(path ?? ''))).toEqual([false, true, true]);
  } finally {
    rmSync(parent, { recursive: true });
  }
});
