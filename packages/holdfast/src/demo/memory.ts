import { readFileSync } from 'node:fs';
import type { RunningProgram } from './supervisor.ts';

function kibOf(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}

/** Resident memory of each program, and the part of it that no other process shares, from /proc/PID/status. */
export function idleMemory(programs: readonly RunningProgram[]): string[][] {
  const rows = programs.map(({ label, pid }) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return [label, `${kibOf(status, 'VmRSS')} KiB`, `${kibOf(status, 'RssAnon')} KiB`];
    } catch {
      return [label, 'ended', ''];
    }
  });
  return [['program', 'resident when idle', 'of it anonymous'], ...rows];
}
