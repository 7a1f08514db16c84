import { loggable, toJson } from './log-value.ts';

export type Severity = 'I' | 'W' | 'E';

/** `I0102 15:04:05.000000       1 program] "message" key="value"`: klog's header and its structured form, one line. */
export function klogLine(record: {
  severity: Severity;
  time: Date;
  pid: number;
  program: string;
  message: string;
  fields: Readonly<Record<string, unknown>>;
}): string {
  const { severity, time, pid, program, message, fields } = record;
  const date = `${two(time.getMonth() + 1)}${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const micros = `${time.getMilliseconds().toString().padStart(3, '0')}000`;
  const header = `${severity}${date} ${clock}.${micros} ${pid.toString().padStart(7)} ${program}]`;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(loggable(key, value))}`);
  return `${header} ${JSON.stringify(message)}${pairs.join('')}\n`;
}

function two(value: number): string {
  return value.toString().padStart(2, '0');
}

function fieldText(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' ? String(value) : toJson(value);
}
