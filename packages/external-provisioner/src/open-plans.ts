import type { VolumePlan } from './plan.ts';
import { encodeTexts, jsonBytes, maxTextLength, type PlanText, planText } from './recorded-plans.ts';

/** The plans of which nobody knows yet what becomes, and the text they are kept as. */
export interface OpenPlans {
  add(plan: VolumePlan): void;
  /** @returns false when there is none of this claim */
  remove(claimUid: string): boolean;
  count(): number;
  /** Undefined when there are none. */
  readonly text: () => string | undefined;
  isTooLong(): boolean;
}

/**
 * Many come and go between two reads of the text. So each plan is put into words once, they are put together only when they are read,
 * and whether they fit is told from their sizes while these leave no doubt.
 */
export function createOpenPlans(maxLength: number): OpenPlans {
  const texts = new Map<string, PlanText>();
  const places = new Map<string, { readonly place: string; users: number }>();
  let bytes = 0;
  let encoded: string | undefined;
  // When it was put together last, and what has come since. What has gone made it no longer.
  let lastLength = 0;
  let addedBytes = 0;

  function grow(part: string): void {
    bytes += jsonBytes(part);
    addedBytes += jsonBytes(part);
  }

  /** The one text of a place that is kept, however many share it. */
  function enter(place: string): string {
    const known = places.get(place);
    if (known) {
      known.users += 1;
      return known.place;
    }
    grow(place);
    places.set(place, { place, users: 1 });
    return place;
  }

  function leave(place: string): void {
    const known = places.get(place);
    if (!known) return;
    known.users -= 1;
    if (known.users > 0) return;
    places.delete(place);
    bytes -= jsonBytes(place);
  }

  function remove(claimUid: string): boolean {
    const text = texts.get(claimUid);
    if (!text) return false;
    texts.delete(claimUid);
    bytes -= jsonBytes(text.json);
    if (text.place !== undefined) leave(text.place);
    encoded = undefined;
    return true;
  }

  function text(): string | undefined {
    if (texts.size === 0) return undefined;
    if (encoded === undefined) {
      encoded = encodeTexts(texts.values());
      lastLength = encoded.length;
      addedBytes = 0;
    }
    return encoded;
  }

  return {
    add(plan) {
      const { uid } = plan.claim.metadata;
      remove(uid);
      const { json, place } = planText(plan);
      grow(json);
      texts.set(uid, { json, place: place === undefined ? undefined : enter(place) });
      encoded = undefined;
    },
    remove,
    count: () => texts.size,
    text,
    isTooLong() {
      const bound = Math.min(maxTextLength(bytes), lastLength + maxTextLength(addedBytes));
      return bound > maxLength && (text()?.length ?? 0) > maxLength;
    },
  };
}
