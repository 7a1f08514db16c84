import { compareQuantities, errorMessage, parseQuantity, quantityFromBytes, quantityToBytes } from '@holdfast/core';
import type { PersistentVolumeClaim } from '@holdfast/kube';
import { RefusalError } from './refusal.ts';

/** Below this a fraction is a forgotten unit (`1.5`), above it is what `0.1Gi` honestly comes to. */
const SMALLEST_PLAUSIBLE_BYTES = 1024n;

/**
 * The claim's `resources.requests.storage` in bytes, rounded up as Go's `Quantity.Value()` does.
 * Refuses what no driver can serve: absent, zero, negative, beyond int64, or a fraction of a few bytes.
 */
export function requestedBytes(claim: PersistentVolumeClaim): bigint {
  const text = claim.spec?.resources?.requests?.storage;
  const field = 'spec.resources.requests.storage';
  if (text === undefined) throw new RefusalError(`the claim asks for no size: set ${field}, for example to 1Gi`);

  let bytes: bigint;
  let isWhole: boolean;
  try {
    const quantity = parseQuantity(text);
    bytes = quantityToBytes(quantity);
    isWhole = compareQuantities(quantity, quantityFromBytes(bytes)) === 0;
  } catch (error) {
    throw new RefusalError(
      `${field} is ${JSON.stringify(text)}: ${errorMessage(error)}; ask for a size between 1 and 2^63-1 bytes, for example 1Gi`,
    );
  }
  if (bytes <= 0n)
    throw new RefusalError(`${field} is ${JSON.stringify(text)}: ask for more than zero bytes, for example 1Gi`);
  if (!isWhole && bytes < SMALLEST_PLAUSIBLE_BYTES) {
    const number = asDecimal(text);
    throw new RefusalError(
      `${field} is ${JSON.stringify(text)}, ${number} bytes: its unit is missing, for example ${number}Gi`,
    );
  }
  return bytes;
}

/** The API server stores `1.5` as `1500m`; people think of it as 1.5. */
function asDecimal(text: string): string {
  return text.endsWith('m') ? String(Number(text.slice(0, -1)) / 1000) : text;
}
