/**
 * Kubernetes' resource.Quantity, exact. The grammar is the documented one of k8s.io/apimachinery/pkg/api/resource.
 * On purpose it differs in four places; in all else it is tested against Go's answers:
 * - Go caps a binary quantity at 2^63-1 without a word, so `9Ei` becomes another number. Here it keeps its value, and
 *   asking for its bytes is an error.
 * - Go prints a decimal quantity from 1e21 on without its exponent: `1000E` becomes `1`. Here it is printed as `1e21`.
 * - Go's Value() of a large negative quantity overflows, and its rounding goes towards zero and beyond. Here it is exact.
 * - Go's scanner also takes a text without any digit (`k`, `.`, `-`) for zero. The grammar demands a digit; so do we.
 */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

/** How the number was written, and so how it is printed again. */
type Format = 'binary' | 'decimal' | 'exponent';

/** The value is `mantissa` × 10^`exponent`, exactly, with no factor 10 left in the mantissa. */
export interface Quantity {
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly format: Format;
}

const NANO = -9;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
/** Far above what any quantity needs, and far below what makes arithmetic on it slow. */
const MAX_LENGTH = 1024;
const MAX_INT32 = 2 ** 31 - 1;

const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*)([+-]?[0-9]*)$/;

/**
 * Reads `1Gi`, `1.5`, `100m`, `12e6`. What is finer than nano is rounded away from zero, as in Go.
 * @throws QuantityError naming the text and the remedy
 */
export function parseQuantity(text: string): Quantity {
  if (text.length > MAX_LENGTH) {
    throw invalid(
      `${text.slice(0, 32)}…`,
      `it is ${text.length} characters long, and at most ${MAX_LENGTH} are allowed`,
    );
  }
  const [, sign = '', integer = '', fraction = '', letters = '', digits = ''] = SHAPE.exec(text) ?? [];
  if (integer === '' && fraction === '') {
    throw invalid(text, 'write a number and, without a space, a suffix, such as 10Gi, 500M, 1.5 or 1e9');
  }
  const suffix = readSuffix(letters, digits);
  if (suffix === undefined) {
    throw invalid(
      text,
      `the suffix "${letters}${digits}" is none of Ki Mi Gi Ti Pi Ei, n u m k M G T P E, or e and a number`,
    );
  }
  const unscaled = BigInt(integer + fraction) * suffix.multiplier;
  const signed = sign === '-' ? -unscaled : unscaled;
  const value = normalize(signed, suffix.exponent - fraction.length);
  // Go prints a binary quantity below one as a decimal one, from the moment it is read.
  const isBelowOne = suffix.format === 'binary' && compareScaled(abs(value.mantissa), value.exponent, 1n, 0) < 0;
  return { ...value, format: isBelowOne ? 'decimal' : suffix.format };
}

function invalid(text: string, remedy: string): QuantityError {
  return new QuantityError(`invalid quantity ${JSON.stringify(text)}: ${remedy}`);
}

function readSuffix(
  letters: string,
  digits: string,
): { multiplier: bigint; exponent: number; format: Format } | undefined {
  if (digits !== '') {
    const exponent = Number(digits);
    const isExponent = (letters === 'e' || letters === 'E') && Math.abs(exponent) <= MAX_INT32;
    return isExponent ? { multiplier: 1n, exponent, format: 'exponent' } : undefined;
  }
  const decimal = DECIMAL_SUFFIXES.findIndex((each) => each === letters);
  if (decimal >= 0) return { multiplier: 1n, exponent: (decimal - 3) * 3, format: 'decimal' };
  const binary = BINARY_SUFFIXES.findIndex((each) => each === letters);
  if (binary < 0) return undefined;
  return { multiplier: 1024n ** BigInt(binary), exponent: 0, format: 'binary' };
}

/** Moves factors of ten into the exponent, and rounds what is finer than nano away from zero. */
function normalize(unscaled: bigint, scale: number): { mantissa: bigint; exponent: number } {
  if (unscaled === 0n) return { mantissa: 0n, exponent: 0 };
  let mantissa = unscaled;
  let exponent = scale;
  if (exponent < NANO) {
    const excess = NANO - exponent;
    mantissa = excess > digitCount(mantissa) ? signOf(mantissa) : divideAwayFromZero(mantissa, 10n ** BigInt(excess));
    exponent = NANO;
  }
  const zeros = /0*$/.exec(mantissa.toString())?.[0].length ?? 0;
  return { mantissa: mantissa / 10n ** BigInt(zeros), exponent: exponent + zeros };
}

/** The canonical form, as Go's CanonicalizeBytes gives it: no fraction, the largest suffix of its family that loses nothing. */
export function formatQuantity(q: Quantity): string {
  if (q.mantissa === 0n) return '0';
  const isSmall = compareScaled(abs(q.mantissa), q.exponent, 1024n, 0) < 0;
  if (q.format === 'binary' && q.exponent >= 0 && !isSmall) return formatBinary(q.mantissa * 10n ** BigInt(q.exponent));
  const shift = ((q.exponent % 3) + 3) % 3;
  const exponent = q.exponent - shift;
  const number = q.mantissa * 10n ** BigInt(shift);
  const suffix = q.format === 'exponent' ? undefined : DECIMAL_SUFFIXES[exponent / 3 + 3];
  // Above E there is no suffix.
  return `${number}${suffix ?? (exponent === 0 ? '' : `e${exponent}`)}`;
}

function formatBinary(bytes: bigint): string {
  let number = bytes;
  let power = 0;
  while (number % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    number /= 1024n;
    power++;
  }
  return `${number}${BINARY_SUFFIXES[power] ?? ''}`;
}

export function quantityFromBytes(bytes: bigint): Quantity {
  return { ...normalize(bytes, 0), format: 'binary' };
}

/** By value alone: `1Ki` equals `1024`. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return compareScaled(a.mantissa, a.exponent, b.mantissa, b.exponent);
}

/**
 * Whole bytes, rounded away from zero, so that 1.5 asks for 2.
 * @throws QuantityError above 2^63-1 or below -2^63, where CSI's and Kubernetes' int64 ends
 */
export function quantityToBytes(q: Quantity): bigint {
  // Checked by magnitude before the power is computed: 1e2000000000 must be refused, not computed.
  const isHuge = compareScaled(abs(q.mantissa), q.exponent, -MIN_INT64, 0) > 0;
  const bytes = isHuge ? undefined : toInteger(q);
  if (bytes === undefined || bytes > MAX_INT64) {
    throw new QuantityError(
      `quantity ${formatQuantity(q)} does not fit 64 bits: bytes must be between ${MIN_INT64} and ${MAX_INT64} (8Ei - 1)`,
    );
  }
  return bytes;
}

function toInteger(q: Quantity): bigint {
  if (q.exponent >= 0) return q.mantissa * 10n ** BigInt(q.exponent);
  return divideAwayFromZero(q.mantissa, 10n ** BigInt(-q.exponent));
}

/** `parseQuantity` and `quantityToBytes` in one. */
export function parseBytes(text: string): bigint {
  return quantityToBytes(parseQuantity(text));
}

/** `1Gi` for 2^30, `1500` for what no binary suffix divides. */
export function formatBytes(bytes: bigint): string {
  return formatQuantity(quantityFromBytes(bytes));
}

function compareScaled(a: bigint, aExponent: number, b: bigint, bExponent: number): -1 | 0 | 1 {
  const aSign = signOf(a);
  const bSign = signOf(b);
  if (aSign !== bSign) return aSign < bSign ? -1 : 1;
  if (aSign === 0n) return 0;
  const aMagnitude = digitCount(a) + aExponent;
  const bMagnitude = digitCount(b) + bExponent;
  if (aMagnitude !== bMagnitude) return aMagnitude < bMagnitude === aSign > 0n ? -1 : 1;
  // Equal magnitudes, so the exponents differ by no more than the mantissas' lengths and the powers stay small.
  const common = Math.min(aExponent, bExponent);
  const left = a * 10n ** BigInt(aExponent - common);
  const right = b * 10n ** BigInt(bExponent - common);
  return left === right ? 0 : left < right ? -1 : 1;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function signOf(value: bigint): bigint {
  return value === 0n ? 0n : value < 0n ? -1n : 1n;
}

function digitCount(value: bigint): number {
  return abs(value).toString().length;
}

function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor === 0n ? quotient : quotient + signOf(value);
}
