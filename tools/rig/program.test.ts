import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProgram } from './program.ts';
import { waitUntil } from './wait-until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { signal } = new AbortController();
const spec = (args: readonly string[]) => ({ label: 'sleeper', file: 'sh', args, logFile: join(folder, 'log') });

describe.runIf(process.platform === 'linux')('a program', () => {
  it('ends in order, and starts again with its log going on', async () => {
    const program = await startProgram(
      spec(['-c', 'trap "echo bye; exit 3" TERM; echo up; while true; do sleep 0.01; done']),
    );
    const ups = (count: number) =>
      waitUntil({
        what: `${count} starts in the log`,
        look: () => program.log().split('up').length > count || undefined,
        timeoutMs: 10_000,
        signal,
      });
    await ups(1);
    const first = program.pid();
    await expect(program.start()).rejects.toThrow('running already');
    expect(await program.stop()).toBe(3);
    expect(program.isRunning()).toBe(false);
    expect(program.pid()).toBeUndefined();
    await program.start();
    await ups(2);
    expect(program.pid()).not.toBe(first);
    await program.kill();
    expect(await program.exited()).toBeNull();
    expect(program.log()).toBe('up\nbye\nup\n');
    expect(program.logOfThisRun()).toBe('up\n');
  });

  it('that was stopped in the middle can be ended all the same', async () => {
    const program = await startProgram(spec(['-c', 'exec sleep 600']));
    program.signal('SIGSTOP');
    expect(await program.stop()).toBeNull();
  });

  it('that is not there is named', async () => {
    const program = await startProgram({ ...spec([]), file: '/nowhere/program' });
    expect(await program.exited()).toBe(127);
    expect(program.log()).toContain('/nowhere/program');
  });
});
