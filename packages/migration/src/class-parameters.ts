import { type ClassParts, MigrationError, type TopologyTerms } from './plugin.ts';
import { termsToCsi } from './topology.ts';

/** The file system of a class, as sidecars read it; in-tree plug-ins had `fstype`. */
export const FSTYPE_PARAMETER = 'csi.storage.k8s.io/fstype';

/**
 * Maps each parameter of a class by its name in lower case: in-tree plug-ins did not look at the case. What the table does not
 * name stays as it is.
 */
export function mapParameters(
  parameters: ClassParts['parameters'],
  table: Readonly<Record<string, (key: string, value: string) => Record<string, string>>>,
): Record<string, string> {
  const mapped: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters)) {
    const map = Object.hasOwn(table, key.toLowerCase()) ? table[key.toLowerCase()] : undefined;
    Object.assign(mapped, map === undefined ? { [key]: value } : map(key, value));
  }
  return mapped;
}

export const toFsType = (_key: string, value: string): Record<string, string> => ({ [FSTYPE_PARAMETER]: value });
export const dropped = (): Record<string, string> => ({});

/**
 * The places of a class, which in-tree plug-ins also took from its parameters `zone` and `zones`.
 * @throws MigrationError when both are given
 */
export function placesToCsi(
  { parameters, allowedTopologies = [] }: ClassParts,
  driverKey: string,
): TopologyTerms | undefined {
  const zones = zonesOf(parameters);
  if (zones === undefined) {
    return allowedTopologies.length === 0 ? undefined : termsToCsi(allowedTopologies, driverKey);
  }
  if (allowedTopologies.length > 0) {
    throw new MigrationError(
      'the class has both allowedTopologies and the parameter zone or zones: remove the parameter',
    );
  }
  return [{ matchLabelExpressions: [{ key: driverKey, values: zones }] }];
}

function zonesOf(parameters: ClassParts['parameters']): string[] | undefined {
  let zones: string[] | undefined;
  for (const [key, value] of Object.entries(parameters)) {
    if (key.toLowerCase() === 'zone') zones = [value];
    if (key.toLowerCase() === 'zones') zones = value.split(',');
  }
  return zones;
}
