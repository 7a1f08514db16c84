/** What an object is found by: index name to a pure function that yields the values it is listed under. */
export type IndexFunctions<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface Indexes<T> {
  insert(key: string, object: T): void;
  remove(key: string, object: T): void;
  /** The keys listed under `value`. An unknown index name is a mistake in the program and throws. */
  keys(index: string, value: string): Iterable<string>;
}

const NO_KEYS: readonly string[] = [];

export function createIndexes<T>(functions: IndexFunctions<T>): Indexes<T> {
  const indexes = new Map(
    Object.entries(functions).map(([name, valuesOf]) => [
      name,
      { valuesOf, keysByValue: new Map<string, Set<string>>() },
    ]),
  );

  return {
    insert(key, object) {
      for (const { valuesOf, keysByValue } of indexes.values()) {
        for (const value of valuesOf(object)) {
          const keys = keysByValue.get(value);
          if (keys) keys.add(key);
          else keysByValue.set(value, new Set([key]));
        }
      }
    },
    remove(key, object) {
      for (const { valuesOf, keysByValue } of indexes.values()) {
        for (const value of valuesOf(object)) {
          const keys = keysByValue.get(value);
          if (keys?.delete(key) && keys.size === 0) keysByValue.delete(value);
        }
      }
    },
    keys(index, value) {
      const found = indexes.get(index);
      if (!found) throw new Error(`no index named "${index}"; there is: ${[...indexes.keys()].join(', ') || 'none'}`);
      return found.keysByValue.get(value) ?? NO_KEYS;
    },
  };
}
