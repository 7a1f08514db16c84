import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdentityService } from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runDriver, startDriver } from './testing/driver-process.ts';
import { options } from './testing/requests.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-driver-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const base = (): string[] => [
  `--endpoint=unix://${dir}/csi.sock`,
  `--pool-dir=${dir}/pool`,
  '--backend=dir',
  '--node-id=a',
];

describe('holdfast-driver', () => {
  test('an unknown flag: usage, exit 2', async () => {
    const { exitCode, output } = await runDriver(['--pool-directory=/x']);
    expect(exitCode).toBe(2);
    expect(output).toContain('pool-directory');
    expect(output).toContain('--pool-dir');
  });

  test.each([
    ['no endpoint', ['--backend=dir'], 'set CSI_ENDPOINT'],
    ['a TCP endpoint', ['--endpoint=tcp://127.0.0.1:1', '--backend=dir'], 'tcp://127.0.0.1:1'],
    ['a socket by another name', ['--endpoint=unix:///csi/csi', '--backend=dir'], 'must end with .sock'],
    ['an unknown backend', ['--backend=tape', '--endpoint=/x.sock'], 'must be one of disk, dir'],
    ['an unknown role', ['--role=both', '--endpoint=/x.sock'], 'must be controller, node or all'],
    ['a zone for folders', ['--zone=z', '--backend=dir', '--endpoint=/x.sock'], '--zone is for --backend=disk'],
    ['a zone that no label can hold', ['--zone=a/b', '--endpoint=/x.sock'], 'must be a label value'],
    ['a relative pool', ['--pool-dir=pool', '--endpoint=/x.sock'], 'must be an absolute path'],
  ])('%s: one clear line, exit 1', async (_what, args, message) => {
    const { exitCode, output } = await runDriver(args);
    expect(output).toContain(message);
    expect(exitCode).toBe(1);
  });

  test('a pool that cannot be written: names it and the flag, exit 1', async () => {
    // A file where the folder should be stops root as well.
    await writeFile(join(dir, 'pool'), '');
    const { exitCode, output } = await runDriver(base());
    expect(exitCode).toBe(1);
    expect(output).toContain(`the pool ${dir}/pool cannot be used`);
    expect(output).toContain('--pool-dir must name a folder');
  });

  test('a name Kubernetes would not take: says so, exit 1', async () => {
    const { exitCode, output } = await runDriver([...base(), '--driver-name=not a name']);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/driver name .*not a name.* is not valid/);
  });

  test('serves on CSI_ENDPOINT, refuses a second one there, and leaves no socket when stopped', async () => {
    const first = await startDriver(dir, ['--backend=dir']);
    const info = await first.connection.client(IdentityService).getPluginInfo({}, options);
    expect(info).toMatchObject({ name: 'dir.csi.holdfast' });
    const second = await runDriver([`--pool-dir=${dir}/other`, '--backend=dir'], {
      CSI_ENDPOINT: `unix://${dir}/csi.sock`,
    });
    expect(second.exitCode).toBe(1);
    expect(second.output).toContain('another server listens there');
    expect(await first.stop()).toBe(0);
    await expect(access(join(dir, 'csi.sock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('takes over the socket of a driver that was killed', async () => {
    const first = await startDriver(dir, ['--backend=dir']);
    await first.kill();
    await access(join(dir, 'csi.sock'));
    const second = await startDriver(dir, ['--backend=dir']);
    expect(await second.node.nodeGetInfo({}, options)).toMatchObject({
      nodeId: 'node-a',
      accessibleTopology: { segments: { 'topology.csi.holdfast/node': 'node-a' } },
    });
    expect(await second.stop()).toBe(0);
  });
});
