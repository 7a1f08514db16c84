// What tests and benchmarks ask of a cluster and of the programs beside it, whoever wrote them.
import type { KubeClient } from '@holdfast/kube';
import type { DriverFront } from './driver-front.ts';

export type ClusterKind = 'sandbox' | 'kubernetes';
export type SidecarName = 'provisioner' | 'attacher' | 'resizer';
export type Maker = 'ours' | 'upstream';
export type Backend = 'disk' | 'dir';

/** One answered request, as an audit log has it. A watch is entered once. */
export interface AuditedRequest {
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly userAgent: string;
  readonly user: string;
  readonly code: number;
}

/** A control plane: the sandbox's, or etcd, kube-apiserver, kube-controller-manager and kube-scheduler. */
export interface Cluster {
  readonly kind: ClusterKind;
  readonly url: string;
  /** Kubeconfig file of the administrator. */
  readonly adminKubeconfig: string;
  /** The administrator's client; its user agent begins with `rig/`. */
  readonly client: KubeClient;
  /** Makes the service account if need be and a token for it. @returns the path of a kubeconfig file that holds nothing else */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Applies the documents of a YAML text, as `kubectl apply --server-side` does. */
  apply(yaml: string): Promise<void>;
  /** Everything answered since the start or the last `forgetRequests`. */
  requests(): Promise<readonly AuditedRequest[]>;
  forgetRequests(): Promise<void>;
  /** Ends the API server alone, waits `downMs`, and starts it again: same port, same objects, same tokens. */
  restartApiServer(options?: { readonly downMs?: number }): Promise<void>;
  /** Ends every process and removes the folder. */
  stop(): Promise<void>;
}

/** A process of the rig. It is not started again by itself. */
export interface Program {
  readonly label: string;
  pid(): number | undefined;
  isRunning(): boolean;
  /** Starts it again with the same arguments, once it has ended. */
  start(): Promise<void>;
  /** SIGTERM, and SIGKILL after a minute. @returns the exit code, null where a signal ended it */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends a signal and does not wait: SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void;
  /** Settles when the process that runs now has ended. */
  exited(): Promise<number | null>;
  log(): string;
  /** What it has logged since it was last started. */
  logOfThisRun(): string;
}

export interface NodeSpec {
  readonly name: string;
  /** Value of `topology.csi.holdfast/zone`. Without it the node's own name is its topology. */
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A machine of the cluster: a kubelet, and the driver in its node role with its registrar. */
export interface RigNode {
  readonly name: string;
  readonly kubeletRoot: string;
  readonly kubelet: Program;
  readonly driver: Program;
  readonly registrar: Program;
}

export interface SidecarOptions {
  readonly maker?: Maker;
  /** Tells replicas apart; each has a host name of its own (its lease identity). */
  readonly replica?: string;
  /** Beyond --csi-address, --kubeconfig, --v and, when the rig was told so, --leader-election. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Beside this node's driver instead of the controller's: it must be a rig with a driver for each node. */
  readonly node?: string;
}

export interface RigOptions {
  /** A kind starts a cluster that ends with the rig; a cluster that runs already is left running. */
  readonly cluster: ClusterKind | Cluster;
  readonly backend: Backend;
  readonly nodes: readonly NodeSpec[];
  /** Who wrote each sidecar. Default: ours. */
  readonly makers?: Readonly<Partial<Record<SidecarName, Maker>>>;
  readonly maxVolumesPerNode?: number;
  /** Sidecars to start with the rig. Default: all that the backend needs. */
  readonly sidecars?: readonly SidecarName[];
  readonly leaderElection?: boolean;
  /** Of a sidecar whenever it is started, before those it is started with. */
  readonly sidecarArgs?: Readonly<Partial<Record<SidecarName, readonly string[]>>>;
  /** Puts `Rig.front` between the sidecars and the controller's driver. They do not notice then when the driver ends. */
  readonly isFronted?: boolean;
  /** Each node's driver has a pool of its own and makes volumes there, as drivers of local volumes do. */
  readonly isPerNode?: boolean;
}

/** One call that the controller's driver answered, from its log. */
export interface DriverCall {
  readonly method: string;
  readonly volumeId: string;
  readonly code: string;
}

export interface Rig {
  readonly cluster: Cluster;
  readonly driverName: string;
  /** Of the controller's driver, for calls of the test's own. */
  readonly driverSocket: string;
  readonly folder: string;
  /** The driver in its controller role. */
  readonly controllerDriver: Program;
  /** The running sidecars, by name; replicas are `name/replica`. */
  readonly sidecars: ReadonlyMap<string, Program>;
  /** Answers calls in the driver's place. @throws Error on a rig that is not `isFronted` */
  readonly front: DriverFront;
  startSidecar(name: SidecarName, options?: SidecarOptions): Promise<Program>;
  node(name: string): RigNode;
  startNode(spec: NodeSpec): Promise<RigNode>;
  driverCalls(): readonly DriverCall[];
  /** The end of each program's log, for a failure's message. */
  logTails(lines: number): string;
  /** Of the driver of a node, where each makes volumes. */
  nodeDriverCalls(name: string): readonly DriverCall[];
  /** Ends all, unmounts, detaches and removes all. @returns what had been left by the programs: mounts, loop devices, volumes */
  stop(): Promise<readonly string[]>;
}
