/** First in, first out, without moving the rest on every take. */
export interface Fifo<T> {
  push(item: T): void;
  take(): T | undefined;
  readonly length: number;
}

// Below this the array is left alone; above, it is compacted once half of it has been taken.
const COMPACT_FROM = 64;

export function createFifo<T>(): Fifo<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push: (item) => void items.push(item),
    take() {
      if (head === items.length) return undefined;
      const item = items[head];
      head += 1;
      if (head >= COMPACT_FROM && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    get length() {
      return items.length - head;
    },
  };
}
