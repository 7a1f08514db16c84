/** Where a key of a work queue stands. */
export type KeyState =
  /** Nobody has asked for work on it. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'queued'; readonly forMs: number }
  | { readonly kind: 'inWork'; readonly forMs: number }
  | { readonly kind: 'delayed'; readonly inMs: number };

/** What a work queue knows of a key. */
export interface KeyReport {
  readonly state: KeyState;
  /** In a row. */
  readonly failures: number;
  /** Of the last try. Undefined when that went well, and when so many others have failed since that it was forgotten. */
  readonly lastError: { readonly message: string; readonly agoMs: number } | undefined;
}
