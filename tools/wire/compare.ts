import type { Declarations } from './declarations.ts';
import { differences } from './differences.ts';

export interface Compared {
  readonly name: string;
  /** Empty where both declare the same. */
  readonly differences: readonly string[];
}

/** Every declaration of either side, in the order of theirs. */
export function compareDeclarations(ours: Declarations, theirs: Declarations): Compared[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].map((name) => {
    if (!ours.has(name)) return { name, differences: ['we do not declare it'] };
    if (!theirs.has(name)) return { name, differences: ['only we declare it'] };
    return { name, differences: differences(ours.get(name), theirs.get(name)) };
  });
}
