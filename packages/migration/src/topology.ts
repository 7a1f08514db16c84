import { MigrationError, type TopologyTerms, type VolumeParts, type VolumeSpec } from './plugin.ts';

type NodeAffinity = NonNullable<VolumeSpec['nodeAffinity']>;
type NodeSelectorTerm = NonNullable<NodeAffinity['required']>['nodeSelectorTerms'][number];

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
const BETA_ZONE = 'failure-domain.beta.kubernetes.io/zone';
const BETA_REGION = 'failure-domain.beta.kubernetes.io/region';

export const zoneLabels = { ga: ZONE, beta: BETA_ZONE } as const;

/** Between the zones of a volume in its one zone label. */
const ZONE_DELIMITER = '__';

/** The region that zones lie in. @throws MigrationError when they are of no one region */
export type RegionOf = (zones: readonly string[]) => string;

export function termsOf(affinity: NodeAffinity | undefined): readonly NodeSelectorTerm[] {
  return affinity?.required?.nodeSelectorTerms ?? [];
}

/** The values that a volume's affinity has for a key: each once, sorted. */
export function valuesOf(affinity: NodeAffinity | undefined, key: string): string[] {
  const values = termsOf(affinity).flatMap(({ matchExpressions = [] }) =>
    matchExpressions.filter((each) => each.key === key).flatMap((each) => each.values ?? []),
  );
  return [...new Set(values)].sort();
}

function hasKey(affinity: NodeAffinity | undefined, key: string): boolean {
  return termsOf(affinity).some(({ matchExpressions = [] }) => matchExpressions.some((each) => each.key === key));
}

/** The zone and region labels that a volume uses: those of today, or the beta ones of before Kubernetes 1.17. */
export function usedLabels({ labels, spec }: VolumeParts): { zone: string; region: string } {
  const ga = { zone: ZONE, region: REGION };
  const beta = { zone: BETA_ZONE, region: BETA_REGION };
  if (hasKey(spec.nodeAffinity, ZONE)) return ga;
  if (hasKey(spec.nodeAffinity, BETA_ZONE)) return beta;
  if (labels[ZONE] !== undefined) return ga;
  return labels[BETA_ZONE] === undefined ? ga : beta;
}

export function mapTerms(
  affinity: NodeAffinity | undefined,
  map: (term: NodeSelectorTerm) => NodeSelectorTerm,
): NodeAffinity | undefined {
  if (affinity?.required === undefined) return affinity;
  const { nodeSelectorTerms } = affinity.required;
  return { ...affinity, required: { ...affinity.required, nodeSelectorTerms: nodeSelectorTerms.map(map) } };
}

export function renameKey(affinity: NodeAffinity | undefined, from: string, to: string): NodeAffinity | undefined {
  return mapTerms(affinity, (term) => {
    if (term.matchExpressions === undefined) return term;
    const renamed = term.matchExpressions.map((each) => (each.key === from ? { ...each, key: to } : each));
    return { ...term, matchExpressions: renamed };
  });
}

/** Every place also has to be in one of the zones. Without a zone that has a name nothing changes. */
export function requireZones(
  affinity: NodeAffinity | undefined,
  key: string,
  zones: readonly string[],
): NodeAffinity | undefined {
  const values = [...new Set(zones.map((zone) => zone.trim()).filter((zone) => zone !== ''))].sort();
  if (values.length === 0) return affinity;
  const terms = termsOf(affinity);
  const base = { required: { nodeSelectorTerms: terms.length === 0 ? [{}] : [...terms] } };
  return mapTerms(base, (term) => ({
    ...term,
    matchExpressions: [...(term.matchExpressions ?? []), { key, operator: 'In', values }],
  }));
}

export function withAffinity(spec: VolumeSpec, nodeAffinity: NodeAffinity | undefined): VolumeSpec {
  return nodeAffinity === undefined ? spec : { ...spec, nodeAffinity };
}

/** Zones of a volume by the driver's own key: from its affinity, else from its zone label. */
export function zonesToCsi(volume: VolumeParts, driverKey: string): VolumeSpec {
  const { labels, spec } = volume;
  const { zone, region } = usedLabels(volume);
  const label = labels[zone];
  let affinity = spec.nodeAffinity;
  if (valuesOf(affinity, zone).length > 0) affinity = renameKey(affinity, zone, driverKey);
  else if (label !== undefined) affinity = requireZones(affinity, driverKey, label.split(ZONE_DELIMITER));
  // Newer nodes carry today's labels alone.
  if (region === BETA_REGION && valuesOf(affinity, region).length > 0) affinity = renameKey(affinity, region, REGION);
  return withAffinity(spec, affinity);
}

/**
 * Zones of a volume by Kubernetes' labels, in its affinity and on itself, as the in-tree plug-in would have written them.
 * @param regionOf where it is given, every place gets its region too
 * @throws MigrationError
 */
export function zonesToInTree(volume: VolumeParts, driverKey: string, regionOf?: RegionOf): VolumeParts {
  const { zone } = usedLabels(volume);
  const renamed = withAffinity(volume.spec, renameKey(volume.spec.nodeAffinity, driverKey, zone));
  const placed =
    regionOf === undefined ? { ...volume, spec: renamed } : withRegions({ ...volume, spec: renamed }, regionOf);
  const zones = valuesOf(placed.spec.nodeAffinity, zone);
  if (zones.length === 0) return placed;
  return { ...placed, labels: { [zone]: zones.join(ZONE_DELIMITER), ...placed.labels } };
}

function withRegions(volume: VolumeParts, regionOf: RegionOf): VolumeParts {
  const { spec, labels } = volume;
  if (termsOf(spec.nodeAffinity).length === 0) return volume;
  const { zone, region } = usedLabels(volume);
  const affinity = mapTerms(spec.nodeAffinity, (term) => {
    const expressions = term.matchExpressions ?? [];
    if (expressions.some(({ key }) => key === region)) return term;
    const zones = expressions.filter(({ key }) => key === zone).flatMap(({ values = [] }) => values);
    const added = { key: region, operator: 'In', values: [regionOf(zones)] };
    return { ...term, matchExpressions: [...expressions, added] };
  });
  const regions = valuesOf(affinity, region);
  const [only] = regions;
  return {
    ...volume,
    spec: withAffinity(spec, affinity),
    labels: regions.length === 1 && only !== undefined ? { [region]: only, ...labels } : labels,
  };
}

/** The one region of some zones. @throws MigrationError when there are none, or several */
export function oneRegion(zones: readonly string[], regionOf: (zone: string) => string): string {
  const regions = [...new Set(zones.map(regionOf))];
  const [region] = regions;
  if (region !== undefined && regions.length === 1) return region;
  throw new MigrationError(
    regions.length === 0
      ? 'a place of the volume names no zone, so its region is unknown'
      : `zones ${zones.join(', ')} lie in several regions`,
  );
}

/** Places of a class, by the driver's own key for zones. */
export function termsToCsi(terms: TopologyTerms, driverKey: string): TopologyTerms {
  return terms.map(({ matchLabelExpressions }) =>
    matchLabelExpressions === undefined
      ? {}
      : {
          matchLabelExpressions: matchLabelExpressions.map((each) =>
            each.key === ZONE || each.key === BETA_ZONE ? { ...each, key: driverKey } : each,
          ),
        },
  );
}
