import * as z from 'zod';
import type { FlagTable } from './flag-spec.ts';

const RETRIES = 'Retries';
const positive = z.number().positive('must be greater than zero');

/** How a controller spaces its retries. Names and defaults are the same in upstream's controllers. */
export const retryFlags = {
  'retry-interval-start': {
    type: 'duration',
    default: '1s',
    group: RETRIES,
    help: 'Pause after the first failure of an object; it doubles with each further one.',
    schema: positive,
  },
  'retry-interval-max': {
    type: 'duration',
    default: '5m',
    group: RETRIES,
    help: 'Longest pause between tries.',
    schema: positive,
  },
} as const satisfies FlagTable;
