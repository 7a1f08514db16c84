import type { Reflector } from './reflector.ts';

/** The caches of one controller, as a program runs them: on standbys too, so that a new leader starts warm. */
export interface ReflectorGroup {
  /** Resolves once every cache holds its first list; rejects when one ends before that. */
  readonly synced: Promise<void>;
  /** One task for each cache, by name. */
  readonly tasks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;
}

/** @param reflectors by what they hold, such as `volumes` */
export function groupReflectors(
  reflectors: Readonly<Record<string, Pick<Reflector<unknown>, 'run' | 'synced'>>>,
): ReflectorGroup {
  const synced = Promise.all(Object.values(reflectors).map((reflector) => reflector.synced)).then(() => undefined);
  // A standby that ends before its caches are complete has nobody who waits for them.
  synced.catch(() => {});
  return {
    synced,
    tasks: Object.fromEntries(Object.entries(reflectors).map(([name, { run }]) => [`cache of ${name}`, run])),
  };
}
