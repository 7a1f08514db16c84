import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, keepCopy, keptCopy } from './cache.ts';

describe('the folder', () => {
  it('is where the machine keeps caches', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/holdfast/reference');
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toBe(join(homedir(), '.cache/holdfast/reference'));
    expect(cacheFolder({})).toBe(join(homedir(), '.cache/holdfast/reference'));
  });

  it('can be switched off', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/caches', HOLDFAST_REFERENCE_CACHE: 'off' })).toBeUndefined();
  });
});

describe('a program', () => {
  let folder: string;
  let kept: { cache: string; program: string; stamp: string; file: string };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-cache-'));
    mkdirSync(join(folder, 'bin'));
    kept = { cache: join(folder, 'cache'), program: 'prog', stamp: 'v1 abc\n', file: join(folder, 'bin', 'prog') };
    writeFileSync(kept.file, 'first');
    chmodSync(kept.file, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('comes back as it was, and can be run', () => {
    keepCopy(kept);
    rmSync(kept.file);
    expect(keptCopy(kept)).toBe(true);
    expect(readFileSync(kept.file, 'utf8')).toBe('first');
    expect(statSync(kept.file).mode & 0o111).toBe(0o111);
    expect(readdirSync(join(folder, 'bin'))).toEqual(['prog']);
  });

  it('is another one when it is built from something else', () => {
    keepCopy(kept);
    expect(keptCopy({ ...kept, stamp: 'v2 def\n' })).toBe(false);
  });

  it('is not there before it was kept', () => {
    expect(keptCopy(kept)).toBe(false);
    expect(readFileSync(kept.file, 'utf8')).toBe('first');
  });

  it('is neither kept nor found in a cache that is switched off or cannot be written', () => {
    writeFileSync(join(folder, 'taken'), '');
    for (const cache of [undefined, join(folder, 'taken')]) {
      keepCopy({ ...kept, cache });
      expect(keptCopy({ ...kept, cache })).toBe(false);
    }
  });
});
