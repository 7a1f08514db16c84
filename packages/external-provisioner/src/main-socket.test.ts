import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, spawnProgram } from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

const bin = path.join(import.meta.dirname, 'bin.ts');

function run(...args: string[]): RunningProgram {
  const program = spawnProgram(bin, args, { KUBECONFIG: '' });
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

async function cluster() {
  const started = await startTestCluster();
  onTestFinished(() => started.stop());
  return started;
}

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'holdfast-provisioner-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe('a socket', () => {
  it('that cannot be one is refused at once', async () => {
    const { kubeconfigPath } = await cluster();
    const program = run(`--kubeconfig=${kubeconfigPath}`, '--csi-address=tcp://127.0.0.1:1');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/tcp:\/\/127\.0\.0\.1:1.* unix socket/);
  });

  it('that nobody serves ends it after 30 s with what to look at', { timeout: 90_000 }, async () => {
    const { kubeconfigPath } = await cluster();
    const address = path.join(await folder(), 'csi.sock');
    const program = run(`--kubeconfig=${kubeconfigPath}`, `--csi-address=${address}`);
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('Still connecting');
    expect(program.stderr()).toMatch(new RegExp(`no connection to ${address} .*is the driver running`));
  });
});
