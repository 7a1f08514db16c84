import type { KubeClient, KubeObject, ObjectRef, Resource } from '@holdfast/kube';
import type { ScriptedDriver } from '@holdfast/sandbox/testing';
import type { SidecarName } from '../rig/contract.ts';

/** What is played the same way before either maker's sidecar. It leaves nothing behind. */
export interface Case {
  readonly name: string;
  /** The sidecar whose work it is: played once with each maker's, the other sidecars being ours. */
  readonly about: SidecarName;
  /** The driver's name, where it matters. */
  readonly driverName?: string;
  readonly isShort?: boolean;
  /** It is looked at while a sidecar goes on trying: counts say nothing. */
  readonly isRetrying?: boolean;
  /** What ours writes up to a moment, exactly: upstream's own number is no measure, it varies. */
  readonly costs?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  play(stage: CaseStage): Promise<void>;
}

export interface CaseStage {
  readonly client: KubeClient;
  readonly driver: ScriptedDriver;
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Applies YAML in which $driver and $namespace are replaced. */
  apply(yaml: string): Promise<void>;
  look<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined>;
  /** Looks again and again; `undefined` is "not yet". @throws Error after a while, saying what was awaited */
  until<T>(what: string, seek: () => Promise<T | undefined>): Promise<T>;
  /** Records what there is, once it has come to rest. */
  record(moment: string): Promise<void>;
}
