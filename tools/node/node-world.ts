import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { referenceProgram } from '../reference/build.ts';
import type { Cluster, Program } from '../rig/contract.ts';
import { waitUntil } from '../rig/wait-until.ts';

const run = promisify(execFile);

/** A machine slower than any of ours is no failure. */
const patienceMs = 180_000;

/** What the checks ask of the cluster with its one real node. */
export interface NodeWorld {
  readonly scratch: string;
  readonly cluster: Cluster;
  readonly kubelet: Program;
  readonly signal: AbortSignal;
  /** @returns stdout; @throws Error with stderr */
  kubectl(...args: string[]): Promise<string>;
  helm(...args: string[]): Promise<string>;
  apply(yaml: string): Promise<void>;
  /** A value by kubectl's JSON path, empty where there is none; the object must be there. */
  value(object: string, path: string): Promise<string>;
  /** Runs a command in a pod's container. */
  inPod(pod: string, command: string): Promise<string>;
  until<T>(what: string, look: () => Promise<T | undefined>): Promise<T>;
  untilRunning(...pods: string[]): Promise<void>;
  /** Waits until they are gone from the API. */
  remove(...objects: string[]): Promise<void>;
}

export function createNodeWorld(deps: Pick<NodeWorld, 'scratch' | 'cluster' | 'kubelet' | 'signal'>): NodeWorld {
  const { cluster, signal } = deps;
  const tool = async (name: 'kubectl' | 'helm', args: readonly string[]): Promise<string> => {
    const all = ['--kubeconfig', cluster.adminKubeconfig, ...args];
    const { stdout } = await run(referenceProgram(name), all, { signal, timeout: patienceMs, maxBuffer: 2 ** 26 });
    return stdout;
  };
  const kubectl = (...args: string[]): Promise<string> => tool('kubectl', args);
  const until: NodeWorld['until'] = (what, look) => waitUntil({ what, look, timeoutMs: patienceMs, signal });
  const value: NodeWorld['value'] = (object, path) => kubectl('get', object, '-o', `jsonpath=${path}`);
  return {
    ...deps,
    kubectl,
    value,
    until,
    helm: (...args) => tool('helm', args),
    apply: (yaml) => cluster.apply(yaml),
    inPod: (pod, command) => kubectl('exec', pod, '--', 'sh', '-c', command),
    async untilRunning(...pods) {
      for (const pod of pods) {
        await until(`pod ${pod} to be ready`, async () =>
          (await value(`pod/${pod}`, '{.status.conditions[?(@.type=="Ready")].status}')) === 'True' ? true : undefined,
        ).catch(async (error: unknown) => {
          throw new Error(
            `${error instanceof Error ? error.message : String(error)}\n${await kubectl('describe', 'pod', pod)}`,
          );
        });
      }
    },
    async remove(...objects) {
      await kubectl('delete', ...objects, '--grace-period=1', `--timeout=${patienceMs / 1000}s`);
    },
  };
}
