import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { commandEnvironment, runCommand } from './command.ts';

describe('runCommand', () => {
  test('passes arguments as they are: nothing is read by a shell', async () => {
    const hostile = '$(id); `id` && "x\' *';
    expect((await runCommand('printf', ['%s', hostile])).stdout).toBe(hostile);
  });

  test('fails with the exit code and what the tool said', async () => {
    await expect(runCommand('sh', ['-c', 'echo broken >&2; exit 3'])).rejects.toMatchObject({
      failure: { kind: 'exit', exitCode: 3, output: 'broken' },
      message: expect.stringContaining('failed with exit code 3: broken'),
    });
  });

  test('takes a listed exit code as an answer', async () => {
    expect((await runCommand('sh', ['-c', 'exit 2'], { okExitCodes: [0, 2] })).exitCode).toBe(2);
  });

  test('names the missing tool and the package that brings it', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    try {
      await expect(runCommand('mkfs.xfs-missing', [])).rejects.toThrow(
        'mkfs.xfs-missing was not found on this machine',
      );
    } finally {
      vi.unstubAllEnvs();
    }
    const { CommandError } = await import('./command.ts');
    const { packageFor } = await import('./tool-packages.ts');
    const failure = { kind: 'missing', aptPackage: packageFor('mkfs.xfs') } as const;
    expect(new CommandError('mkfs.xfs', [], failure).message).toBe(
      'mkfs.xfs was not found on this machine: install the package xfsprogs',
    );
  });

  test('kills a child that does not end in time, and says so', async () => {
    const started = runCommand('sh', ['-c', 'trap "" TERM; echo $$; exec sleep 600'], { timeoutMs: 300 });
    await expect(started).rejects.toMatchObject({ failure: { kind: 'timeout', timeoutMs: 300 } });
  });

  test('kills the child when its caller goes away', async () => {
    const controller = new AbortController();
    const running = runCommand('sleep', ['600'], { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ failure: { kind: 'aborted' } });
    await expect(runCommand('true', [], { signal: controller.signal })).rejects.toMatchObject({
      failure: { kind: 'aborted' },
    });
  });

  test('answers when the child ends, though a grandchild keeps its output open', async () => {
    const { stdout } = await runCommand('sh', ['-c', 'sleep 20 & echo $!']);
    const grandchild = Number(stdout.trim());
    expect(await readFile(`/proc/${grandchild}/cmdline`, 'utf8')).toContain('sleep');
    process.kill(grandchild, 'SIGKILL');
  });
});

test('children speak English, find the system folders, and inherit no secret', () => {
  expect(commandEnvironment({ PATH: '/opt/bin:/usr/bin', LANG: 'de_DE.UTF-8', TOKEN: 'secret' })).toEqual({
    PATH: '/opt/bin:/usr/bin:/usr/sbin:/sbin:/bin',
    LC_ALL: 'C',
  });
});
