import * as z from 'zod';
import { ExitError } from './exit.ts';
import type { FlagTable, FlagValues } from './flag-spec.ts';

const LOGGING = 'Logging';
const offByGate = 'not available: upstream keeps it behind the gate LoggingAlphaOptions, which cannot be switched on';
const onlyFalse = z.boolean().refine((value) => !value, offByGate);
const onlyZero = z.string().refine((value) => value === '' || value === '0', offByGate);

/** Those of k8s.io/component-base/logs/api/v1. */
export const loggingFlags = {
  v: {
    type: 'int',
    default: 0,
    shorthand: 'v',
    group: LOGGING,
    help: 'Verbosity. 2 shows what is done, 4 why, 5 every call to the driver (secrets are stripped).',
    schema: z.number().min(0, 'must not be negative'),
  },
  'logging-format': {
    type: 'string',
    default: 'text',
    group: LOGGING,
    help: 'text (klog lines) or json.',
    schema: z.enum(['text', 'json'], { message: 'must be text or json' }),
  },
  vmodule: {
    type: 'string',
    default: '',
    group: LOGGING,
    help: 'pattern=N,…: accepted with the text format, and without effect: lines do not come from Go files.',
    schema: z.string().regex(/^([^=,]+=[0-9]+(,[^=,]+=[0-9]+)*)?$/, 'write pattern=N,pattern=N'),
  },
  'log-flush-frequency': {
    type: 'duration',
    default: '5s',
    group: LOGGING,
    help: 'Accepted, and without effect: every line is written at once.',
    schema: z.number().positive('must be greater than zero'),
  },
  'log-text-split-stream': { type: 'bool', default: false, group: LOGGING, help: 'Only false.', schema: onlyFalse },
  'log-text-info-buffer-size': { type: 'string', default: '0', group: LOGGING, help: 'Only 0.', schema: onlyZero },
  'log-json-split-stream': { type: 'bool', default: false, group: LOGGING, help: 'Only false.', schema: onlyFalse },
  'log-json-info-buffer-size': { type: 'string', default: '0', group: LOGGING, help: 'Only 0.', schema: onlyZero },
} as const satisfies FlagTable;

export type LoggingValues = FlagValues<typeof loggingFlags>;

/** @throws ExitError when flags that exclude each other are set */
export function checkLogging(values: Pick<LoggingValues, 'vmodule' | 'loggingFormat'>): void {
  if (values.vmodule !== '' && values.loggingFormat !== 'text') {
    throw new ExitError('--vmodule works only with --logging-format=text');
  }
}
