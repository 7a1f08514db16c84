// Where the sandbox differs from kube-apiserver and is meant to. docs/sandbox-differences.md is made from this table, and an entry
// that no longer occurs is a failure: the difference is gone, and so must the entry be.

export interface AcceptedDifference {
  /** What differs, as a person would say it. */
  readonly what: string;
  readonly why: string;
  /** Where it is met: a pattern over `topic / script / METHOD path body / place in the reply`. */
  readonly where: RegExp;
}

const goWords =
  'Go prints its own parsers’ errors and internal structs. Status, reason and the field that is named are the same.';
const rarely = 'Nobody was found who relies on it.';

export const acceptedDifferences: readonly AcceptedDifference[] = [
  {
    what: 'The words for a body or a patch that is no JSON, no YAML or of the wrong type.',
    why: goWords,
    where:
      /^(bodies|apply) \/ (malformed|content types|wrong types|unknown fields|wrong) \/ .* \/ body\.(message|details\.causes\[0\]\.message)$/,
  },
  {
    what: 'The words for a patch that does not decode.',
    why: goWords,
    where: /^patch \/ .* \/ body\.(message|details\.causes\[0\]\.message)$/,
  },
  {
    what: 'The words for a body of another kind than the path.',
    why: goWords,
    where: /^create \/ the kind in the body \/ .* \/ body\.message$/,
  },
  {
    what: 'The words for DeleteOptions that are none.',
    why: goWords,
    where: /^delete \/ options \/ .* \/ body\.message$/,
  },
  {
    what: 'The words for a time without microseconds.',
    why: goWords,
    where: /^core-kinds \/ Lease \/ .*renewTime.* \/ body\.message$/,
  },
  {
    what: 'A refused change of an immutable field shows the value, not Go’s internal struct or a diff of it.',
    why: goWords,
    where:
      /^(update|kinds|core-kinds|patch) \/ (a claim|a volume|VolumeAttachment|CSINode|Pod|PersistentVolume|strategic merge patch of a pod) \/ (PATCH|POST) .* \/ body\.(message|details\.causes\[\d\]\.(message|field))$/,
  },
  {
    what: 'The random part of a generated name.',
    why: 'It is random.',
    where: /^create \/ generateName \/ .*Bad_.* \/ body\./,
  },
  {
    what: 'No warning for a quantity of bytes with a fraction.',
    why: rarely,
    where: /^create \/ .*1500m.* \/ headers\.warning/,
  },
  {
    what: 'A new Node has no taint `node.kubernetes.io/not-ready`.',
    why: 'Upstream’s node controller takes it away when the node is ready. The sandbox has none, and pods would wait for ever.',
    where: /\/nodes.* \/ body\.(items\[\d+\]\.)?spec\.taints/,
  },
  {
    what: 'Nobody owns the list of drivers of a CSINode that was made with an empty list.',
    why: 'Upstream tells an empty list from none in managedFields and nowhere else.',
    where: /^kinds \/ CSINode \/ .* \/ body\.metadata\.managedFields/,
  },
  {
    what: 'Of an Event with eventTime only the first missing field is named.',
    why: rarely,
    where: /^core-kinds \/ Event \/ .*eventTime.* \/ body\.(message|details)/,
  },
  {
    what: 'PUT of /finalize leaves the metadata alone.',
    why: 'It is for the finalizers. Whoever calls it sends the object as it is.',
    where: /^core-kinds \/ Namespace \/ PUT .*finalize.* \/ body\.metadata/,
  },
  {
    what: 'A key that is in a body twice is not noticed: the last one counts, as upstream, but there is no warning and no 400.',
    why: 'JSON.parse tells nobody of it.',
    where: /^bodies \/ a key that is there twice \/ /,
  },
  {
    what: 'The first write that changes nothing of a new claim takes no resourceVersion.',
    why: 'Upstream stores a new claim in another form than an updated one. What a client reads is the same.',
    where:
      /^(update \/ (what changes nothing|a claim)|watch \/ a claim and its status) \/ .*persistentvolumeclaims.*( \/ status| \/ body(\.metadata\.resourceVersion)?)$/,
  },
  {
    what: 'allocatedResourceStatuses of a claim are not checked.',
    why: 'Only the external resizer writes them.',
    where: /^update \/ a claim \/ .*Whatever.* \/ (status|body)/,
  },
  {
    what: 'propagationPolicy Foreground and Orphan put no finalizer in.',
    why: 'There is no controller that would take it out: a deleted object would stay for ever.',
    where: /^delete \/ propagation \//,
  },
  {
    what: '$patch, $retainKeys and the like are followed in a map of strings, where upstream ignores or refuses them.',
    why: rarely,
    where: /^patch \/ strategic merge patch of a pod \//,
  },
  {
    what: 'The words for a selector that cannot be read; some that upstream refuses select nothing.',
    why: rarely,
    where:
      /^(read|watch|delete) \/ (collections|label selectors|field selectors|what cannot be watched) \/ .*[sS]elector=/,
  },
  {
    what: 'The words for a continue token of another server.',
    why: 'A token means something to the server that made it, and to it alone.',
    where: /^read \/ pages \/ .*continue=garbage.* \/ body\.message$/,
  },
  {
    what: 'A page that ends with the last object that matches has no continue token.',
    why: 'Upstream does not look ahead: the next page is empty.',
    where: /^read \/ across namespaces \/ .*limit=1 \/ body\.metadata\.continue$/,
  },
  {
    what: 'A watch of a version that is yet to come fails before it begins, or in other words.',
    why: 'Clients list again after both.',
    where: /^(watch|read) \/ .*99999999999.* \//,
  },
  {
    what: 'The old paths below /watch/ are not served.',
    why: 'They are deprecated since v1.11.',
    where: /\/api\/v1\/watch\//,
  },
  {
    what: 'Columns of tables have no descriptions.',
    why: 'No client shows them.',
    where: /columnDefinitions\[\d+\]\.description$/,
  },
  {
    what: 'CSIStorageCapacities and ServiceAccounts have columns that say more, and a format here and there.',
    why: 'kubectl prints them, and upstream has none for these kinds beside name and age.',
    where: /^paths \/ tables \/ .*(columnDefinitions|cells)/,
  },
  {
    what: 'Answers are JSON, never YAML or protobuf; 406 has other words, and no older version of a table is served.',
    why: 'Every client reads JSON.',
    where: /^(paths \/ shapes of an object|watch \/ what cannot be watched) \//,
  },
  {
    what: '/version is the sandbox’s own.',
    why: 'It says which release it follows and that it is not that release.',
    where: /GET \/version \//,
  },
  {
    what: 'Fewer kinds and paths are served, and discovery says so.',
    why: 'The sandbox serves what storage touches.',
    where: /^paths \/ discovery \//,
  },
  {
    what: 'Odd methods and paths: SPIN, %zz, POST of /apis, versions of a group that there are not.',
    why: rarely,
    where: /^paths \/ (methods|what is not there) \//,
  },
  {
    what: 'A review of oneself says nothing of who owns its fields.',
    why: 'It is answered and not stored.',
    where: /selfsubjectaccessreviews.* \/ body\.metadata/,
  },
];
