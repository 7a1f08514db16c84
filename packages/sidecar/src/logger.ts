import type { LogFields, Logger } from '@holdfast/core';
import pino from 'pino';
import { klogLine, type Severity } from './klog-line.ts';
import { loggable, toJson } from './log-value.ts';

export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  /** Stands where klog names the source file. */
  readonly program: string;
  /** Debug lines up to this level show. */
  readonly verbosity: number;
  readonly format: 'text' | 'json';
  /** Standard error when not given, written synchronously so that the last words of a dying process are not lost. */
  readonly destination?: LogDestination;
}

type Write = (severity: Severity, level: number, message: string, fields: LogFields) => void;

export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  const write = options.format === 'json' ? jsonWriter(destination) : textWriter(options.program, destination);

  function withFields(own: LogFields): Logger {
    return {
      error: (message, fields) => write('E', 0, message, { ...own, ...fields }),
      warn: (message, fields) => write('W', 0, message, { ...own, ...fields }),
      info: (message, fields) => write('I', 0, message, { ...own, ...fields }),
      debug(level, message, fields) {
        if (level <= options.verbosity) write('I', level, message, { ...own, ...fields });
      },
      child: (fields) => withFields({ ...own, ...fields }),
    };
  }

  return withFields({});
}

function textWriter(program: string, destination: LogDestination): Write {
  return (severity, _level, message, fields) => {
    destination.write(klogLine({ severity, time: new Date(), pid: process.pid, program, message, fields }));
  };
}

/** Keys as component-base writes them: ts in milliseconds, v for info, err for errors. */
function jsonWriter(destination: LogDestination): Write {
  const logger = pino(
    {
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":${Date.now()}`,
      formatters: { level: (level) => ({ level }), log: safeFields },
    },
    destination,
  );
  return (severity, level, message, fields) => {
    if (severity === 'E') logger.error(fields, message);
    else if (severity === 'W') logger.warn({ ...fields, v: level }, message);
    else logger.info({ ...fields, v: level }, message);
  };
}

function safeFields(fields: Record<string, unknown>): Record<string, unknown> {
  const safe = Object.entries(fields).map(([key, value]) => {
    const shown = loggable(key, value);
    return [key, typeof shown === 'object' && shown !== null ? JSON.parse(toJson(shown)) : shown];
  });
  return Object.fromEntries(safe);
}
