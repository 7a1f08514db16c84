import type { Clock } from '@holdfast/core';
import type { OnUnknownFields } from '../draft.ts';
import type { ApiObject } from '../objects.ts';
import { timestamp } from '../objects.ts';
import type { Storage } from '../storage.ts';

/** What every verb works with. */
export interface VerbContext {
  readonly storage: Storage;
  readonly clock: Clock;
}

export interface WriteOptions {
  readonly isDryRun: boolean;
  /** Who owns what this write sets; from the user agent, unless the client named one. */
  readonly fieldManager: string;
  readonly isManagerNamed?: boolean;
  /** `metadata.managedFields` says already who owns what, as after an apply. */
  readonly hasOwners?: boolean;
  readonly onUnknownFields?: OnUnknownFields;
  /** Called before an update or an apply creates what is not there; throws when the user may not create. */
  readonly checkCreate?: () => void;
}

export interface WriteResult {
  readonly status: 200 | 201;
  readonly object: ApiObject;
}

export function now(context: VerbContext): string {
  return timestamp(context.clock.nowMs());
}
