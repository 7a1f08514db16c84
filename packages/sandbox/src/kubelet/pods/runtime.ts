/** What runs in a container, with every path resolved. */
export interface ContainerSpec {
  readonly podUid: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly mounts: readonly ContainerMount[];
  readonly user: number | undefined;
  readonly group: number | undefined;
  readonly groups: readonly number[];
  /** How often the container was started before. */
  readonly restarts: number;
}

export interface ContainerMount {
  /** A folder, or the file of a block device. */
  readonly source: string;
  /** Absolute, without `..`. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

export type ContainerState =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly id: string; readonly startedAtMs: number; readonly restarts: number }
  | {
      readonly kind: 'exited';
      readonly id: string;
      readonly exitCode: number;
      readonly startedAtMs: number;
      readonly finishedAtMs: number;
      readonly restarts: number;
    };

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts, finds and ends the processes of containers. They outlive the kubelet that started them. */
export interface ContainerRuntime {
  /** Takes over the containers of an earlier run. */
  adopt(): Promise<void>;
  start(spec: ContainerSpec): Promise<void>;
  state(podUid: string, container: string): ContainerState;
  containersOf(podUid: string): readonly string[];
  signal(podUid: string, container: string, name: 'SIGTERM' | 'SIGKILL'): void;
  logPath(podUid: string, container: string): string | undefined;
  exec(podUid: string, container: string, command: readonly string[], signal: AbortSignal): Promise<ExecResult>;
  /** Forgets the ended containers of a pod and removes their files. */
  remove(podUid: string): Promise<void>;
  onExit(listener: (podUid: string) => void): void;
  /** Stops watching; the containers run on. */
  close(): void;
}
