import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Memory {
  /** VmRSS: all pages of it that are in memory, those of the program file too. */
  readonly residentKiB: number;
  /** RssAnon: heap and stacks, what no other process can share. */
  readonly anonymousKiB: number;
}

/** CPU time of a process and of the children it has waited for, from the text of /proc/PID/stat. @throws Error */
export function parseCpuTicks(stat: string): number {
  // The name is in parentheses and may hold any character, these included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime: fields 14 to 17 of proc_pid_stat(5); the slice begins with field 3.
  const ticks = fields.slice(11, 15).map(Number);
  if (ticks.length < 4 || !ticks.every(Number.isInteger)) {
    throw new Error(`not the text of a /proc/PID/stat: ${JSON.stringify(stat.slice(0, 80))}`);
  }
  return ticks.reduce((sum, value) => sum + value, 0);
}

/** From the text of /proc/PID/status. @throws Error */
export function parseMemory(status: string): Memory {
  const field = (name: string): number => {
    const kiB = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kiB === undefined)
      throw new Error(`/proc/PID/status has no ${name}: the process has ended, or this is not Linux`);
    return Number(kiB);
  };
  return { residentKiB: field('VmRSS'), anonymousKiB: field('RssAnon') };
}

let ticksPerSecond: number | undefined;

/** @throws Error when there is no such process */
export function cpuSeconds(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) / ticksPerSecond;
}

/** @throws Error when there is no such process */
export function memoryOf(pid: number): Memory {
  return parseMemory(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
