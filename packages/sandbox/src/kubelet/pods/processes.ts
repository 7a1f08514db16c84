import { readdirSync, readFileSync } from 'node:fs';

/** A process by its id and when it began, in clock ticks since boot: ids are used again, the pair is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

export interface ProcessStat {
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot. */
  readonly startTicks: string;
}

/** What the text of `/proc/<pid>/stat` says; undefined for a process that has ended and waits to be reaped. */
export function parseStat(stat: string): ProcessStat | undefined {
  // The program's name stands in parentheses and may hold any character, so counting starts after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = fields[19];
  if (fields[0] === 'Z' || fields[0] === 'X' || startTicks === undefined) {
    return undefined;
  }
  return { group: Number(fields[2]), session: Number(fields[3]), startTicks };
}

export function startTicks(pid: number): string | undefined {
  return readStat(pid)?.startTicks;
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

export function isRunning({ pid, startTicks: expected }: ProcessIdentity): boolean {
  return startTicks(pid) === expected;
}

/** The process whose arguments from the given place on begin with these. */
export function findByArguments(index: number, expected: readonly string[]): ProcessIdentity | undefined {
  for (const pid of processIds()) {
    const args = zeroSeparated(`/proc/${pid}/cmdline`);
    const ticks = startTicks(pid);
    if (ticks !== undefined && expected.every((arg, offset) => args[index + offset] === arg)) {
      return { pid, startTicks: ticks };
    }
  }
  return undefined;
}

/** The living processes that were started with this setting in their environment, those of other users left out. */
export function findByEnvironment(name: string, value: string): readonly number[] {
  const setting = `${name}=${value}`;
  return processIds().filter(
    (pid) => zeroSeparated(`/proc/${pid}/environ`).includes(setting) && startTicks(pid) !== undefined,
  );
}

/**
 * Whether a process of the session that `leader` began is on its way out. It has given up its memory, and with it arguments
 * and environment, but a process 1 of a namespace waits in this state for all the others in there.
 */
export function isSessionEnding(leader: number): boolean {
  return processIds().some((pid) => {
    const stat = readStat(pid);
    return stat?.session === leader && stat.group === leader && zeroSeparated(`/proc/${pid}/cmdline`).length < 2;
  });
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

function processIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function zeroSeparated(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    return [];
  }
}
