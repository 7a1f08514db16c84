/**
 * How lists merge: upstream's `patchStrategy` and `patchMergeKey` tags, for the kinds the server serves.
 * A list without a rule is replaced whole.
 */
export interface MergeRule {
  readonly fields?: Readonly<Record<string, MergeRule>>;
  /** For a list of objects: items with the same value here are the same item, merged by `item`. */
  readonly mergeKey?: string;
  readonly item?: MergeRule;
  /** For a list of scalars: a set. */
  readonly isSet?: boolean;
}

function keyed(mergeKey: string, item: MergeRule = {}): MergeRule {
  return { mergeKey, item };
}

function fields(of: Readonly<Record<string, MergeRule>>): MergeRule {
  return { fields: of };
}

const metadata = fields({ finalizers: { isSet: true }, ownerReferences: keyed('uid') });
const conditions = fields({ conditions: keyed('type') });

const container = fields({
  ports: keyed('containerPort'),
  env: keyed('name'),
  volumeMounts: keyed('mountPath'),
  volumeDevices: keyed('devicePath'),
});

const podSpec = fields({
  volumes: keyed('name'),
  containers: keyed('name', container),
  initContainers: keyed('name', container),
  ephemeralContainers: keyed('name', container),
  imagePullSecrets: keyed('name'),
  hostAliases: keyed('ip'),
  topologySpreadConstraints: keyed('topologyKey'),
  resourceClaims: keyed('name'),
  schedulingGates: keyed('name'),
});

const byKind: Readonly<Record<string, Readonly<Record<string, MergeRule>>>> = {
  Namespace: { status: conditions },
  Node: {
    spec: fields({ podCIDRs: { isSet: true } }),
    status: fields({ conditions: keyed('type'), addresses: keyed('type') }),
  },
  Pod: {
    spec: podSpec,
    status: fields({ conditions: keyed('type'), podIPs: keyed('ip'), hostIPs: keyed('ip') }),
  },
  PersistentVolumeClaim: { status: conditions },
  Service: { spec: fields({ ports: keyed('port') }), status: conditions },
  ServiceAccount: { secrets: keyed('name') },
  CSINode: { spec: fields({ drivers: keyed('name') }) },
};

export function mergeRuleOf(kind: string): MergeRule {
  return fields({ metadata, ...byKind[kind] });
}
