import type { LogFields, Logger } from '../log.ts';

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** klog's V level; 0 for what is not debug. */
  readonly verbosity: number;
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordingLogger extends Logger {
  readonly lines: LogLine[];
}

/** Keeps every line in memory; children write to the same list with their fields added. */
export function createRecordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];

  function withFields(own: LogFields): RecordingLogger {
    const record = (level: LogLine['level'], verbosity: number, message: string, fields: LogFields = {}): void => {
      lines.push({ level, verbosity, message, fields: { ...own, ...fields } });
    };
    return {
      lines,
      error: (message, fields) => record('error', 0, message, fields),
      warn: (message, fields) => record('warn', 0, message, fields),
      info: (message, fields) => record('info', 0, message, fields),
      debug: (level, message, fields) => record('debug', level, message, fields),
      child: (fields) => withFields({ ...own, ...fields }),
    };
  }

  return withFields({});
}
