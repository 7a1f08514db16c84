// Where the sandbox differs from kube-apiserver and is meant to. docs/sandbox-differences.md is made from this table, and an entry
// that no longer occurs is a failure: the difference is gone, and so must the entry be.

export interface AcceptedDifference {
  /** What differs, as a person would say it. */
  readonly what: string;
  readonly why: string;
  /** Where it is met: a pattern over `topic / script / METHOD path (accept type) body / place in the reply`. */
  readonly where: RegExp;
  /** And what the sandbox says there, as JSON, or `nothing`. Default: whatever it says. */
  readonly sandbox?: RegExp;
}

const goWords =
  'Go prints its own parsers’ errors and internal structs. Status, reason and the field that is named are the same.';
const rarely = 'Nobody was found who relies on it.';

export const acceptedDifferences: readonly AcceptedDifference[] = [
  {
    what: 'The words for a body or a patch that is no JSON, no YAML or of the wrong type.',
    why: goWords,
    where:
      /^(bodies \/ (malformed|content types|wrong types|unknown fields)|apply \/ wrong|access \/ token requests) \/ .* \/ body\.(message|details\.causes\[0\]\.message)$/,
    sandbox:
      /json parse error|cannot be handled as|is unrecognized|strict decoding error|error decoding|is not an object/,
  },
  {
    what: 'The words for a patch that does not decode.',
    why: goWords,
    where:
      /^patch \/ (merge patch|strategic merge patch of a pod) \/ .* \/ body\.(message|details\.causes\[0\]\.message)$/,
    sandbox: /^"( \\"\\" is invalid: patch: |Invalid value: \{|error decoding patch: |map: \{)/,
  },
  {
    what: 'The words for a body of another kind than the path.',
    why: goWords,
    where: /^(create \/ the kind in the body|access \/ token requests) \/ POST .*"kind":.* \/ body\.message$/,
    sandbox: /the object provided is unrecognized|cannot be handled as/,
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
      /^(update|kinds|core-kinds|patch|rbac) \/ (a claim|a volume|VolumeAttachment|CSINode|Pod|strategic merge patch of a pod|bindings) \/ PATCH .* \/ body\.(message|details\.causes\[0\]\.message)$/,
    sandbox: /immutable|pod updates may not change fields/,
  },
  {
    what: 'A refused change of the affinity of a volume or the containers of a pod is put down to `spec` or a field below it, not to another.',
    why: rarely,
    where: /nodeAffinity|"containers":\[\{.*\$patch.* \/ body\.details\.causes\[0\]\.field$/,
    sandbox: /^"spec(\.nodeAffinity)?"$/,
  },
  {
    what: 'The words for a volume of no capacity.',
    why: goWords,
    where: /^kinds \/ PersistentVolume \/ POST .*"capacity":\{\}.* \/ body\.(message|details\.causes\[1\]\.message)$/,
    sandbox: /Unsupported value: null/,
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
    what: 'Nobody owns the drivers of a CSINode or the rules of a role that was made with an empty list of them.',
    why: 'Upstream tells an empty list from none in managedFields and nowhere else.',
    where:
      /^(kinds \/ CSINode \/ (POST .*"drivers":\[\].*|GET \S+-n)|access \/ roles \/ POST .*"rules":\[\].*) \/ body\.metadata\.managedFields$/,
    sandbox: /^nothing$/,
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
    what: 'allocatedResourceStatuses of a claim are not checked.',
    why: 'Only the external resizer writes them.',
    where: /^update \/ a claim \/ .*Whatever.* \/ (status|body)/,
  },
  {
    what: 'propagationPolicy Foreground and Orphan put no finalizer in, and take none out.',
    why: 'There is no controller that would take it out: a deleted object would stay for ever.',
    where:
      /^delete \/ propagation \/ (DELETE \S+\/(fg|or) .*"(Foreground|Orphan)"\} \/ body|(GET|PATCH) \S+\/(fg|or)( \{.*)? \/ (status|body)|DELETE \S+\/both .* \/ body\.metadata\.(finalizers\[[01]\]|resourceVersion))$/,
  },
  {
    what: '$patch and $retainKeys are followed in a map of strings, where upstream ignores or refuses them.',
    why: rarely,
    where:
      /^patch \/ strategic merge patch of a pod \/ .*\{"labels":\{"\$(patch":"twist|retainKeys).* \/ (status|body)$/,
  },
  {
    what: 'A field selector of no field at all is refused; of one that ends in a backslash the words differ.',
    why: rarely,
    where: /^read \/ field selectors \/ .*fieldSelector=(%3D \/ (status|body)|a%5C \/ body\.message)$/,
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
    what: 'A watch that wants initial events of a version that is yet to come fails before it begins, not in it.',
    why: 'Clients list again after both.',
    where: /^watch \/ initial events \/ .*resourceVersion=99999999999 \/ (status|headers\.retry-after|body)$/,
    sandbox: /^(504|"1"|\{.*"reason":"Timeout".*\})$/,
  },
  {
    what: 'A page that can be had no more comes with no token to go on with all the same.',
    why: 'client-go’s pager lists anew instead.',
    where: /^forgotten \/ .*continue=\{\{page\.continue\}\} \/ body\.(metadata\.continue|message)$/,
    sandbox: /^(nothing|"The provided continue parameter is too old .*")$/,
  },
  {
    what: 'The words for a watch of a version that is forgotten are those of the watch cache for every kind.',
    why: 'Upstream’s etcd has others, which nobody hears of a kind that is cached.',
    where: /^forgotten \/ .*watch=true.* \/ body\.<events>\[0\]\.object\.message$/,
    sandbox: /^"too old resource version: /,
  },
  {
    what: 'The old paths below /watch/ are not served.',
    why: 'They are deprecated since v1.11.',
    where: /GET \/api\/v1\/watch\/\S+ \/ (status|body)$/,
    sandbox: /^(404|\{.*"reason":"NotFound".*\})$/,
  },
  {
    what: 'Columns of tables have no descriptions.',
    why: 'No client shows them.',
    where: /columnDefinitions\[\d+\]\.description$/,
  },
  {
    what: 'CSIStorageCapacities and ServiceAccounts have columns that say more.',
    why: 'kubectl prints them, and upstream has none for these kinds beside name and age.',
    where:
      /^paths \/ tables \/ GET \S+\/(csistoragecapacities|serviceaccounts)\/t .* \/ body\.(columnDefinitions\[[1-4]\](\.name|\.type)?|rows\[0\]\.cells\[[1-4]\])$/,
    sandbox: /"?(StorageClass|Capacity|Topology|Secrets|Age|manual|1Ti|string|\{\}|\d+s)"|^0$/,
  },
  {
    what: 'Answers are JSON, never YAML or protobuf: who takes JSON too gets it, who does not gets 406.',
    why: 'Every client reads JSON.',
    where:
      /^paths \/ shapes of an object \/ GET \S+ \(accept .*(yaml|protobuf).*\) \/ (status|headers\.content-type|body)$/,
    sandbox: /^(406|"application\/json"|\{.*"reason":"NotAcceptable".*\}|\{.*"kind":"ConfigMap".*\})$/,
  },
  {
    what: 'No table of the version v1beta1.',
    why: 'It is of v1.10 to v1.15.',
    where:
      /^paths \/ shapes of an object \/ GET \S+ \(accept application\/json;as=Table;v=v1beta1;g=meta\.k8s\.io\) \/ (status|body)$/,
    sandbox: /^(406|\{.*"reason":"NotAcceptable".*\})$/,
  },
  {
    what: 'The words and the layout of 406 and of a bad includeObject; tables of errors are not indented.',
    why: goWords,
    where:
      /^(paths \/ shapes of an object|watch \/ what cannot be watched) \/ GET .*\(accept .*(as=|text\/html|application\/\*).*\) \/ body\.(message|<pretty>|details)$/,
    sandbox: /^("only the following media types are accepted: .*"|"unrecognized includeObject value: .*"|nothing)$/,
  },
  {
    what: '/version is the sandbox’s own.',
    why: 'It says which release it follows and that it is not that release.',
    where: /GET \/version \//,
  },
  {
    what: 'Fewer kinds, groups and paths are served, and discovery says so.',
    why: 'The sandbox serves what storage touches.',
    where:
      /^paths \/ discovery \/ GET (\/api|\/api\/v1|\/apis|\/) .*\/ body\.(items|resources|groups|paths)|^paths \/ discovery \/ GET (\/api|\/api\/v1|\/apis|\/) \/ body\.(items|resources|groups|paths)/,
    sandbox: /^nothing$/,
  },
  {
    what: 'The groups snapshot.storage.k8s.io and gateway.networking.k8s.io are always there.',
    why: 'On a cluster they are CustomResourceDefinitions that somebody installs. The sandbox serves the kinds that a provisioner reads.',
    where:
      /^paths \/ discovery \/ GET (\/apis|\/) .*body\.(items|groups|paths)\.(\/apis\/)?(snapshot\.storage|gateway\.networking)\.k8s\.io/,
  },
  {
    what: 'Discovery has no hash of the version a kind is stored in, nor an address of the server.',
    why: 'They tell replicas of a server and networks of clients apart. There is one of each.',
    where: /^paths \/ discovery \/ .* \/ body\.(resources\.\w+\.storageVersionHash|serverAddressByClientCIDRs\[0\])$/,
    sandbox: /^(""|nothing)$/,
  },
  {
    what: 'A method of HTTP that nobody knows is refused by the HTTP server, and so has no Status; a path that is badly escaped is not found.',
    why: rarely,
    where:
      /^paths \/ (methods \/ SPIN|what is not there \/ GET \S+\/%zz) .*\/ (status|headers\.(content-type|cache-control)|body)$/,
  },
  {
    what: 'The list of paths is not indented, and the index of /openapi/v3 says it is JSON.',
    why: rarely,
    where: /^paths \/ discovery \/ (GET \/ \/ body\.<pretty>|GET \/openapi\/v3 \/ headers\.content-type)$/,
  },
  {
    what: 'Discovery answers GET and HEAD alone.',
    why: rarely,
    where: /^paths \/ methods \/ POST \/apis \{\} \/ (status|body)$/,
    sandbox: /^(405|\{.*"reason":"MethodNotAllowed".*\})$/,
  },
  {
    what: 'A review of oneself and a token say nothing of who owns the fields of the request.',
    why: 'They are answered and not stored.',
    where: /(selfsubjectaccessreviews|serviceaccounts\/robot\/token) .* \/ body\.metadata\.managedFields$/,
    sandbox: /^nothing$/,
  },
];
