/** Message as Go's time package words it, so that a flag error reads the same after a swap. */
export class GoDurationError extends Error {
  override readonly name = 'GoDurationError';
}

const NS_PER_MS = 1_000_000;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64_MAGNITUDE = 2n ** 63n;

const NS_PER_UNIT: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n], // micro sign
  ['\u03bcs', 1_000n], // Greek letter mu
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/**
 * Reads what Go's time.ParseDuration reads: `300ms`, `-1.5h`, `1m30s`; a bare number other than 0 is an error.
 * @returns milliseconds, with a fraction for what is finer
 * @throws GoDurationError
 */
export function parseGoDuration(text: string): number {
  return Number(parseNanoseconds(text)) / NS_PER_MS;
}

function parseNanoseconds(text: string): bigint {
  const invalid = (): GoDurationError => new GoDurationError(`time: invalid duration ${quote(text)}`);
  const isNegative = text.startsWith('-');
  let rest = isNegative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') throw invalid();

  let totalNs = 0n;
  while (rest !== '') {
    const match = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest);
    const [whole, integer = '', fraction = '', unit = ''] = match ?? [''];
    if (integer === '' && fraction === '') throw invalid();
    if (BigInt(integer) > MIN_INT64_MAGNITUDE) throw invalid();
    if (unit === '') throw new GoDurationError(`time: missing unit in duration ${quote(text)}`);
    const unitNs = NS_PER_UNIT.get(unit);
    if (unitNs === undefined) {
      throw new GoDurationError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    }
    totalNs += BigInt(integer) * unitNs + fractionNs(fraction, unitNs);
    if (totalNs > MIN_INT64_MAGNITUDE) throw invalid();
    rest = rest.slice(whole.length);
  }
  if (isNegative) return -totalNs;
  if (totalNs > MAX_INT64) throw invalid();
  return totalNs;
}

/** Go computes the fraction in float64 and drops what is below a nanosecond; digits that overflow 63 bits are dropped. */
function fractionNs(digits: string, unitNs: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > MAX_INT64 / 10n || next > MIN_INT64_MAGNITUDE) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unitNs) / scale)));
}

/** Writes milliseconds as Go's Duration.String does: `1m30s`, `1.5s`, `250ms`, `0s`. Rounds to whole nanoseconds. */
export function formatGoDuration(ms: number): string {
  if (!Number.isFinite(ms)) throw new GoDurationError(`time: invalid duration ${ms} ms: not a finite number`);
  const ns = BigInt(Math.round(ms * NS_PER_MS));
  if (ns === 0n) return '0s';
  return ns < 0n ? `-${formatPositive(-ns)}` : formatPositive(ns);
}

function formatPositive(ns: bigint): string {
  if (ns < 1_000n) return `${ns}ns`;
  if (ns < 1_000_000n) return `${decimal(ns, 3)}µs`;
  if (ns < 1_000_000_000n) return `${decimal(ns, 6)}ms`;
  const minutes = ns / 60_000_000_000n;
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
}

/** Go's quoting in time errors: bytes outside printable ASCII as \xNN. */
function quote(text: string): string {
  let quoted = '';
  for (const char of text) {
    if (char === '"' || char === '\\') quoted += `\\${char}`;
    else if (char >= ' ' && char < '\u0080') quoted += char;
    else for (const byte of Buffer.from(char)) quoted += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${quoted}"`;
}
