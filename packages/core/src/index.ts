export { type Backoff, type BackoffOptions, backoffDelayMs, createBackoff } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { errorMessage } from './errors.ts';
export { formatGoDuration, GoDurationError, parseGoDuration } from './go-duration.ts';
export { createKeyedLock, type KeyedLock } from './keyed-lock.ts';
export { type LogFields, type Logger, silentLogger } from './log.ts';
export {
  compareQuantities,
  formatBytes,
  formatQuantity,
  parseBytes,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityFromBytes,
  quantityToBytes,
} from './quantity.ts';
export { DeadlineError, deadlineSignal, isAbort, lingeringSignal, linkSignals, untilAborted } from './signals.ts';
