/** A difference that nothing helps against is acted on in at least one of so many rounds. */
const LONGEST_PAUSE_ROUNDS = 32;

/**
 * Which differences to act on in this round. What still differs is then left alone for one round, for two, four, and so
 * on: a driver whose list never shows some volume is not asked to publish it each minute for ever.
 */
export interface DriftRounds {
  /** @param names all that differ in this round; what differed before and is not among them starts anew */
  due(names: ReadonlySet<string>): Set<string>;
}

interface Pause {
  readonly rounds: number;
  readonly left: number;
}

export function createDriftRounds(): DriftRounds {
  let pauses = new Map<string, Pause>();
  return {
    due(names) {
      const due = new Set<string>();
      const next = new Map<string, Pause>();
      for (const name of names) {
        const pause = pauses.get(name);
        if (pause !== undefined && pause.left > 0) {
          next.set(name, { ...pause, left: pause.left - 1 });
          continue;
        }
        due.add(name);
        const rounds = pause === undefined ? 1 : Math.min(pause.rounds * 2, LONGEST_PAUSE_ROUNDS);
        next.set(name, { rounds, left: rounds });
      }
      pauses = next;
      return due;
    },
  };
}
