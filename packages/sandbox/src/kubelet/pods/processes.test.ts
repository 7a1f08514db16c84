import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { findByEnvironment, isRunning, parseStat, startTicks } from './processes.ts';

describe('parseStat', () => {
  const tail = '1 4242 4240 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8675309 2621440 200';
  const table: readonly [string, string, ReturnType<typeof parseStat>][] = [
    ['a process', `4242 (sh) S ${tail}`, { group: 4242, session: 4240, startTicks: '8675309' }],
    [
      'a name with parentheses and blanks',
      `4242 (a) S 1) R ${tail}`,
      { group: 4242, session: 4240, startTicks: '8675309' },
    ],
    ['one that waits to be reaped', `4242 (sh) Z ${tail}`, undefined],
    ['one that is dead', `4242 (sh) X ${tail}`, undefined],
    ['a line cut short', '4242 (sh) S 1 2', undefined],
    ['nothing', '', undefined],
  ];
  it.each(table)('%s', (_, text, stat) => {
    expect(parseStat(text)).toEqual(stat);
  });
});

describe.runIf(process.platform === 'linux')('on this machine', () => {
  const children: ReturnType<typeof spawn>[] = [];
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  it('tells a process from a later one under its id', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const ticks = startTicks(pid) ?? '';
    expect(isRunning({ pid, startTicks: ticks })).toBe(true);
    expect(isRunning({ pid, startTicks: `${ticks}1` })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning({ pid, startTicks: ticks })).toBe(false);
  });

  it('finds processes by a whole setting of their environment', async () => {
    const env = { HOLDFAST_PROBE: 'a-1' };
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], { env });
    children.push(child);
    await once(child.stdout, 'data');
    expect(findByEnvironment('HOLDFAST_PROBE', 'a-1')).toEqual([child.pid]);
    expect(findByEnvironment('HOLDFAST_PROBE', 'a-')).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(findByEnvironment('HOLDFAST_PROBE', 'a-1')).toEqual([]);
  });
});
