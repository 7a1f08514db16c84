import { readdirSync, readFileSync } from 'node:fs';

/** A process by its id and when it began, in clock ticks since boot: ids are used again, the pair is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** The start time in the text of `/proc/<pid>/stat`; undefined for a process that has ended and waits to be reaped. */
export function parseStartTicks(stat: string): string | undefined {
  // The program's name stands in parentheses and may hold any character, so counting starts after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export function startTicks(pid: number): string | undefined {
  try {
    return parseStartTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

export function isRunning({ pid, startTicks: expected }: ProcessIdentity): boolean {
  return startTicks(pid) === expected;
}

/** The process whose arguments from the given place on begin with these. */
export function findByArguments(index: number, expected: readonly string[]): ProcessIdentity | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) {
      continue;
    }
    const pid = Number(name);
    const args = commandLine(pid);
    const ticks = startTicks(pid);
    if (ticks !== undefined && expected.every((arg, offset) => args[index + offset] === arg)) {
      return { pid, startTicks: ticks };
    }
  }
  return undefined;
}

/** The first child of the first child: the container's process 1 below its shim. */
export function grandchild(pid: number): number | undefined {
  const child = firstChild(pid);
  return child === undefined ? undefined : firstChild(child);
}

function firstChild(pid: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
    return first === undefined || first === '' ? undefined : Number(first);
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
