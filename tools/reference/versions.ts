// The programs that others wrote and that Holdfast is compared with, at the versions it is compared with. The only place that
// names a version.

/** One Go module of ours: a set of versions that one set of programs is built from. */
export interface ReferenceModule {
  readonly name: string;
  /** The Go module that holds the programs. */
  readonly path: string;
  readonly version: string;
  /** Version by module of what `source` imports beside it. */
  readonly also?: Readonly<Record<string, string>>;
  /** The one file of a program of our own, which imports the modules; from the folder tools. */
  readonly source?: string;
  /**
   * Version of the Kubernetes staging modules. A module's own replace lines do not hold in a module that requires it, so these
   * are given again wherever the module has them.
   */
  readonly staging?: string;
  /** Package by program. Where there are several, each package ends in its program's name, which `go build` goes by. */
  readonly programs: Readonly<Record<string, string>>;
  /** Value by Go variable, for `go build -ldflags -X`: without them most of the programs do not know their version. */
  readonly stamps: Readonly<Record<string, string>>;
}

/** The Go language version that the newest of the modules asks for. */
export const goVersion = '1.26.0';

const kubernetes = '1.36.3';
const kubernetesCommands = 'k8s.io/kubernetes/cmd';

export const referenceModules: readonly ReferenceModule[] = [
  {
    name: 'csi-sanity',
    path: 'github.com/kubernetes-csi/csi-test/v5',
    version: 'v5.6.0',
    programs: { 'csi-sanity': 'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity' },
    stamps: { 'main.VERSION': 'v5.6.0' },
  },
  {
    name: 'etcd',
    path: 'go.etcd.io/etcd/server/v3',
    version: 'v3.7.3',
    programs: { etcd: 'go.etcd.io/etcd/server/v3' },
    stamps: {},
  },
  {
    name: 'kubernetes',
    path: 'k8s.io/kubernetes',
    version: `v${kubernetes}`,
    staging: 'v0.36.3',
    programs: {
      'kube-apiserver': `${kubernetesCommands}/kube-apiserver`,
      'kube-controller-manager': `${kubernetesCommands}/kube-controller-manager`,
      'kube-scheduler': `${kubernetesCommands}/kube-scheduler`,
      kubectl: `${kubernetesCommands}/kubectl`,
      kubelet: `${kubernetesCommands}/kubelet`,
    },
    stamps: {
      'k8s.io/component-base/version.gitVersion': `v${kubernetes}`,
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '36',
      'k8s.io/client-go/pkg/version.gitVersion': `v${kubernetes}`,
    },
  },
  {
    name: 'csi-attacher',
    path: 'github.com/kubernetes-csi/external-attacher/v4',
    version: 'v4.13.0',
    staging: 'v0.37.0',
    programs: { 'csi-attacher': 'github.com/kubernetes-csi/external-attacher/v4/cmd/csi-attacher' },
    stamps: { 'main.version': 'v4.13.0' },
  },
  {
    name: 'csi-resizer',
    path: 'github.com/kubernetes-csi/external-resizer/v2',
    version: 'v2.3.0',
    programs: { 'csi-resizer': 'github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer' },
    stamps: { 'main.version': 'v2.3.0' },
  },
  {
    name: 'csi-provisioner',
    path: 'github.com/kubernetes-csi/external-provisioner/v6',
    version: 'v6.3.0',
    staging: 'v0.36.1',
    programs: { 'csi-provisioner': 'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner' },
    stamps: { 'main.version': 'v6.3.0' },
  },
  {
    name: 'helm',
    path: 'helm.sh/helm/v3',
    version: 'v3.22.0',
    programs: { helm: 'helm.sh/helm/v3/cmd/helm' },
    stamps: { 'helm.sh/helm/v3/internal/version.version': 'v3.22.0' },
  },
  {
    name: 'plugin-watcher',
    path: 'k8s.io/kubernetes',
    version: `v${kubernetes}`,
    staging: 'v0.36.3',
    source: 'registration/plugin-watcher/main.go',
    programs: { 'plugin-watcher': 'holdfast.invalid/reference/plugin-watcher' },
    stamps: {},
  },
  {
    name: 'old-kubelet',
    path: 'k8s.io/kubelet',
    version: 'v0.28.15',
    // It brings gRPC v1.56, the last before :authority was percent-encoded (v1.57). The other holds a package that was in both for a while.
    also: { 'google.golang.org/genproto': 'v0.0.0-20230525234030-28d5490b6b19' },
    source: 'registration/old-kubelet/main.go',
    programs: { 'old-kubelet': 'holdfast.invalid/reference/old-kubelet' },
    stamps: {},
  },
  {
    name: 'wire',
    path: 'github.com/container-storage-interface/spec',
    version: 'v1.13.0',
    also: { 'k8s.io/kubelet': 'v0.37.2' },
    source: 'wire/descriptors/main.go',
    programs: { 'wire-descriptors': 'holdfast.invalid/reference/wire' },
    stamps: {},
  },
  {
    name: 'migration',
    path: 'k8s.io/csi-translation-lib',
    version: 'v0.37.1',
    also: { 'k8s.io/api': 'v0.37.1' },
    source: 'migration/answers/main.go',
    programs: { 'migration-answers': 'holdfast.invalid/reference/migration' },
    stamps: {},
  },
  {
    name: 'quantities',
    path: 'k8s.io/apimachinery',
    version: 'v0.37.1',
    source: 'quantities/answers/main.go',
    programs: { 'quantity-answers': 'holdfast.invalid/reference/quantities' },
    stamps: {},
  },
];

/** The modules that Kubernetes keeps in its staging folder and requires at v0.0.0, a version that does not exist. */
export const stagingModules: readonly string[] = [
  'api',
  'apiextensions-apiserver',
  'apimachinery',
  'apiserver',
  'cli-runtime',
  'client-go',
  'cloud-provider',
  'cluster-bootstrap',
  'code-generator',
  'component-base',
  'component-helpers',
  'controller-manager',
  'cri-api',
  'cri-client',
  'cri-streaming',
  'csi-translation-lib',
  'dynamic-resource-allocation',
  'endpointslice',
  'externaljwt',
  'kms',
  'kube-aggregator',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'metrics',
  'mount-utils',
  'pod-security-admission',
  'sample-apiserver',
  'sample-cli-plugin',
  'sample-controller',
  'streaming',
];
