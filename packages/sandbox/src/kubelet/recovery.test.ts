import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaths, type KubeletPaths } from './paths.ts';
import { removePodDir } from './pods/folders.ts';
import { openLocalPods } from './pods/local-pods.ts';
import { createVolumeRecords } from './volumes/records.ts';

let root: string;
let paths: KubeletPaths;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-kubelet-'));
  paths = createPaths(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** What a kubelet leaves that was killed before it could rename a record into place. */
async function cutOffWrite(record: string): Promise<void> {
  await mkdir(dirname(record), { recursive: true });
  await writeFile(`${record}.tmp`, '{"meta');
}

const volume = { driver: 'disk.example', handle: 'vol-1', specName: 'pv-1', isBlock: false };

describe('a kubelet that was killed while it wrote a record', () => {
  it('can still remove the folder of the pod', async () => {
    await cutOffWrite(join(paths.podDir('uid-1'), 'pod.json'));
    const local = await openLocalPods(paths);
    expect(local.uids()).toEqual(['uid-1']);
    await local.forget('uid-1');
    await removePodDir(paths, 'uid-1');
    expect(existsSync(paths.podDir('uid-1'))).toBe(false);
  });

  it('leaves nothing in the folder of a volume of the pod', async () => {
    const record = paths.targetRecord(volume, 'uid-1');
    await cutOffWrite(record);
    expect(await createVolumeRecords(paths).readAll()).toEqual({ stages: [], publications: [] });
    expect(existsSync(`${record}.tmp`)).toBe(false);
  });

  it('leaves no folder of a volume that it had not begun to stage', async () => {
    const record = paths.stagingRecord(volume);
    await cutOffWrite(record);
    expect(await createVolumeRecords(paths).readAll()).toEqual({ stages: [], publications: [] });
    expect(existsSync(dirname(record))).toBe(false);
  });
});
