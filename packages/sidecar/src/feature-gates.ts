import { ExitError } from './exit.ts';
import type { GateSpec } from './flag-spec.ts';
import { nearestName } from './nearest-name.ts';

/**
 * The state of each gate. `AllAlpha` and `AllBeta` set every gate of their stage that is not named itself.
 * @throws ExitError on an unknown gate
 */
export function resolveGates(
  gates: Readonly<Record<string, GateSpec>>,
  given: Readonly<Record<string, unknown>>,
  exitCode: number,
): Record<string, boolean> {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(gates, name) || name === 'AllAlpha' || name === 'AllBeta') continue;
    const nearest = nearestName(name, Object.keys(gates));
    const known = Object.keys(gates).join(', ') || 'none';
    const remedy = nearest === undefined ? `known gates: ${known}` : `did you mean ${nearest}?`;
    throw new ExitError(`--feature-gates: unrecognized feature gate: ${name} (${remedy})`, { exitCode });
  }
  const stateOf = ([name, spec]: [string, GateSpec]): [string, boolean] => {
    const group = spec.stage === 'alpha' ? given.AllAlpha : spec.stage === 'beta' ? given.AllBeta : undefined;
    const state = given[name] ?? group ?? spec.default;
    return [name, state === true];
  };
  return Object.fromEntries(Object.entries(gates).map(stateOf));
}
