import type { KeyReport } from './key-report.ts';

/** What a decision means to somebody who waits. */
export interface Verdict {
  /** `waiting`: for something that others do. `due`: this program has something to do. `settled`: nothing is to be done. */
  readonly standing: 'waiting' | 'due' | 'settled';
  /** What is waited for, or to be done, or why nothing is. */
  readonly text: string;
}

/** Why an object stands where it stands, for one thing that is done with it. */
export interface Explanation {
  /** What is done with the object: `provisioning`. */
  readonly matter: string;
  readonly verdict: Verdict;
  /** Why the decision was taken, in its own words. */
  readonly reason: string;
  readonly key: KeyReport;
  /** What else was seen, by what it is called. Never a secret: of those only the name. */
  readonly facts: Readonly<Record<string, string | undefined>>;
}

/** One kind of object that somebody may ask about. All of it is known from caches: asking costs the API server nothing. */
export interface ExplainTopic {
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** @param name `namespace/name`, or the name. @returns none when no such object is known */
  explain(name: string): readonly Explanation[];
  /** The names of all that may wait, and perhaps of some that do not. */
  candidates(): Iterable<string>;
}

/** What a controller answers when it is asked about its objects, by the word that one asks with: `claim`. */
export type Explainer = Readonly<Record<string, ExplainTopic>>;
