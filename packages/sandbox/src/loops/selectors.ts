import {
  meetsRequirement,
  type Node,
  type PersistentVolume,
  type Requirement,
  type StorageClass,
} from '@holdfast/kube';

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Requirement[];
}

export interface NodeSelector {
  readonly nodeSelectorTerms: readonly {
    readonly matchExpressions?: readonly Requirement[];
    readonly matchFields?: readonly Requirement[];
  }[];
}

type Labels = Readonly<Record<string, string>>;

/** An absent selector selects everything. */
export function matchesLabels(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) {
    return true;
  }
  const hasLabels = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    hasLabels &&
    (selector.matchExpressions ?? []).every((requirement) => meetsRequirement(requirement, labels[requirement.key]))
  );
}

/** Terms are ORed, the requirements of a term ANDed; a term without requirements matches nothing, as in the scheduler. */
export function matchesNode(selector: NodeSelector | undefined, node: Node): boolean {
  if (selector === undefined) {
    return true;
  }
  const labels = node.metadata.labels ?? {};
  return selector.nodeSelectorTerms.some((term) => {
    const expressions = term.matchExpressions ?? [];
    const fields = term.matchFields ?? [];
    if (expressions.length + fields.length === 0) {
      return false;
    }
    return (
      expressions.every((requirement) => meetsRequirement(requirement, labels[requirement.key])) &&
      fields.every(
        (requirement) => requirement.key === 'metadata.name' && meetsRequirement(requirement, node.metadata.name),
      )
    );
  });
}

/** Whether the node can reach a volume, by the volume's node affinity. */
export function canNodeReachVolume(volume: PersistentVolume, node: Node): boolean {
  return matchesNode(volume.spec?.nodeAffinity?.required, node);
}

/** Whether a volume of the class may be made for the node, by the class's allowed topologies. */
export function isNodeAllowedByClass(storageClass: StorageClass, node: Node): boolean {
  const terms = storageClass.allowedTopologies ?? [];
  const labels = node.metadata.labels ?? {};
  if (terms.length === 0) {
    return true;
  }
  return terms.some((term) =>
    (term.matchLabelExpressions ?? []).every(({ key, values }) => {
      const label = labels[key];
      return label !== undefined && values.includes(label);
    }),
  );
}
