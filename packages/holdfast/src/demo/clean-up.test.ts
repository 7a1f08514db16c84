import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isProgramOf, sweepStale, workFolderPrefix } from './clean-up.ts';
import { createReport } from './report.ts';

let parent: string;
let said: string;
const report = createReport({ write: (text) => (said += text) });
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-sweep-'));
  said = '';
});
afterEach(() => rmSync(parent, { recursive: true }));

function folderOf(pid: number): string {
  const folder = join(parent, `${workFolderPrefix(pid)}abc`);
  mkdirSync(join(folder, 'logs'), { recursive: true });
  return folder;
}

async function pidOfTheDead(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe.runIf(process.platform === 'linux')('sweepStale', () => {
  it('removes the folder of a demo that was cut off', async () => {
    const folder = folderOf(await pidOfTheDead());
    sweepStale(report, parent);
    expect(existsSync(folder)).toBe(false);
    expect(said).toContain('an earlier demo was cut off');
  });

  it('leaves the folder of a demo that runs beside it, from its first moment on', () => {
    const folder = folderOf(process.pid);
    sweepStale(report, parent);
    expect(existsSync(folder)).toBe(true);
    expect(said).toBe('');
  });

  it('leaves what only has a similar name', () => {
    const folder = join(parent, 'holdfast-demo-notes');
    mkdirSync(folder);
    sweepStale(report, parent);
    expect(existsSync(folder)).toBe(true);
  });
});

describe('isProgramOf', () => {
  const work = '/tmp/holdfast-demo-7-abc';

  it.each([
    ['a sidecar', ['/n/node', '/h/dist/csi-resizer.mjs', `--kubeconfig=${work}/kubeconfig`]],
    ['a pod', ['/bin/sh', '-c', 'script', 'holdfast-shim', `${work}/kubelet/pods/1/containers/c`, 'unshare']],
  ])('knows %s', (_what, command) => {
    expect(isProgramOf(command, work)).toBe(true);
  });

  it.each([
    ["the user's kubectl", ['kubectl', `--kubeconfig=${work}/kubeconfig`, 'get', 'pvc', '-w']],
    ["the user's tail", ['tail', '-f', `${work}/logs/disk-driver.log`]],
    ["another demo's sidecar", ['/n/node', '/h/dist/csi-resizer.mjs', '--kubeconfig=/tmp/holdfast-demo-7-abd/k']],
  ])('spares %s', (_what, command) => {
    expect(isProgramOf(command, work)).toBe(false);
  });
});
