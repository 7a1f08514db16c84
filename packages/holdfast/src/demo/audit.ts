import { readFileSync } from 'node:fs';

interface AuditLine {
  verb: string;
  resource: string;
  userAgent: string;
  code: number;
}

const writeVerbs = new Set(['create', 'update', 'patch', 'delete']);

/** Counts the writes in an audit log (one JSON object a line) by program, verb and resource. */
export function countWrites(log: string): string[][] {
  const counts = new Map<string, Map<string, number>>();
  for (const text of log.split('\n')) {
    if (text === '') continue;
    const line: AuditLine = JSON.parse(text);
    if (!writeVerbs.has(line.verb) || line.code >= 400) continue;
    const program = line.userAgent.split('/')[0] ?? line.userAgent;
    const ofProgram = counts.get(program) ?? new Map<string, number>();
    const what = `${line.verb} ${line.resource}`;
    ofProgram.set(what, (ofProgram.get(what) ?? 0) + 1);
    counts.set(program, ofProgram);
  }
  const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => a.localeCompare(b);
  return [...counts].sort(byName).map(([program, ofProgram]) => {
    const written = [...ofProgram].sort(byName).map(([what, count]) => `${count} ${what}`);
    return [program, written.join(', ')];
  });
}

export function writesByProgram(auditLog: string): string[][] {
  return [['program', 'API writes'], ...countWrites(readFileSync(auditLog, 'utf8'))];
}
