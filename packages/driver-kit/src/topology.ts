import type { TopologyRequirement } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Segments } from './backend.ts';

/**
 * Where to make a volume: in one of `requisite` when there are any, and among those in the order of `preferred`. Without a
 * requirement the first placement, which is the driver's own choice.
 * @throws RpcError ResourceExhausted when no placement fits.
 */
export function choosePlacement(
  requirement: TopologyRequirement | undefined,
  placements: readonly Segments[],
): Segments {
  const requisite = requirement?.requisite ?? [];
  const preferred = requirement?.preferred ?? [];
  const allowed = placements.filter(
    (placement) => requisite.length === 0 || requisite.some(({ segments }) => fits(placement, segments)),
  );
  const chosen =
    preferred.flatMap(({ segments }) => allowed.filter((placement) => fits(placement, segments)))[0] ?? allowed[0];
  if (chosen !== undefined) return chosen;
  throw rpcError(
    'ResourceExhausted',
    `no volume can be made in ${requisite.map(({ segments }) => describe(segments)).join(' or ') || 'any place'}; ` +
      `this driver serves ${placements.map(describe).join(' or ') || 'no node yet'}`,
  );
}

/** Whether a volume that is there already meets a requirement. */
export function meetsRequirement(topology: readonly Segments[], requirement: TopologyRequirement | undefined): boolean {
  const requisite = requirement?.requisite ?? [];
  if (requisite.length === 0 || topology.length === 0) return true;
  return requisite.some(({ segments }) => topology.some((placement) => fits(placement, segments)));
}

/** A placement lies in a term when it has each of the term's segments. Keys compare without case, CSI spec "Topology". */
export function fits(placement: Segments, term: Segments): boolean {
  const own = new Map(Object.entries(placement).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(term).every(([key, value]) => own.get(key.toLowerCase()) === value);
}

function describe(segments: Segments): string {
  return Object.entries(segments)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
