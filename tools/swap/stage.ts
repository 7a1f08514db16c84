// Where cases are played: a control plane, a driver that does what it is told, and the three sidecars of given makers.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  csiNodes,
  isNotFound,
  type KubeObject,
  leases,
  nodes,
  type ObjectRef,
  type Patch,
  type Resource,
  storageClasses,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { type ScriptedDriver, startScriptedDriver } from '@holdfast/sandbox/testing';
import type { Cluster, Maker, Program, SidecarName } from '../rig/contract.ts';
import { lastLines } from '../rig/program.ts';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { createNameBook } from '../scenarios/name-book.ts';
import type { Case, CaseStage } from './case.ts';
import { driverObject, node } from './cases/objects.ts';
import { driverName } from './driver-name.ts';
import { type Recording, record } from './observe/recording.ts';
import { sidecarNames, sidecarNamespace, startSidecar } from './sidecars.ts';

export interface Stage {
  /** @returns what was recorded, by moment */
  play(played: Case): Promise<ReadonlyMap<string, Recording>>;
  readonly driver: ScriptedDriver;
  readonly sidecars: ReadonlyMap<SidecarName, Program>;
  /** Starts a replica that is to lead once the present one has ended. */
  startReplica(name: SidecarName, maker: Maker): Promise<void>;
  /** Ends the sidecar (SIGTERM); the replica is the sidecar from now on. */
  end(name: SidecarName): Promise<void>;
  stop(): Promise<void>;
}

const awaitMs = 120_000;
const settlePauseMs = 400;
const settleMs = 60_000;

const unprotected: Patch = { kind: 'merge', body: { metadata: { finalizers: null } } };

export async function openStage(deps: {
  readonly cluster: Cluster;
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  readonly driverName?: string;
  readonly signal: AbortSignal;
}): Promise<Stage> {
  const { cluster, makers, driverName: name = driverName, signal } = deps;
  const folder = makeTemporaryFolder('swap');
  const driver = await startScriptedDriver({
    name,
    capabilities: {
      plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'],
      controller: [
        'CREATE_DELETE_VOLUME',
        'PUBLISH_UNPUBLISH_VOLUME',
        'EXPAND_VOLUME',
        'MODIFY_VOLUME',
        'CREATE_DELETE_SNAPSHOT',
        'CLONE_VOLUME',
        'PUBLISH_READONLY',
        'SINGLE_NODE_MULTI_WRITER',
      ],
      node: ['STAGE_UNSTAGE_VOLUME', 'EXPAND_VOLUME'],
    },
  });
  const sidecars = new Map<SidecarName, Program>();
  const replicas = new Map<SidecarName, Program>();
  const stop = async (): Promise<void> => {
    await Promise.all([...sidecars.values(), ...replicas.values()].map((program) => program.stop()));
    await driver.stop();
    folder.remove();
    // The Go programs leave theirs to run out, which the next ones need not wait for.
    const { items } = await cluster.client.list(leases, { namespace: sidecarNamespace });
    for (const { metadata } of items) await cluster.client.delete(leases, metadata);
  };
  const place = { cluster, driverSocket: driver.socketPath, folder: folder.path };
  try {
    for (const name of sidecarNames) sidecars.set(name, await startSidecar(name, makers[name], place));
    await Promise.all([...sidecars].map(([name, program]) => untilLeading(name, program)));
  } catch (error) {
    await stop();
    throw error;
  }

  /** Both makers say so in the log, in words of their own. */
  async function untilLeading(name: SidecarName, program: Program): Promise<void> {
    await waitUntil({
      what: `${program.label} to lead`,
      look: () => {
        if (!program.isRunning()) throw new Error(`${program.label} ended:\n${lastLines(program.log(), 20)}`);
        return /became leader|[Ll]eading|successfully acquired lease/.test(program.log()) ? true : undefined;
      },
      timeoutMs: awaitMs,
      signal,
    }).catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}\n${lastLines(program.log(), 20)}`, { cause: error });
    });
  }

  /** What a case made and no sidecar removes. */
  async function clear(): Promise<void> {
    for (const resource of [nodes, csiNodes, storageClasses, volumeAttributesClasses]) {
      const { items } = await cluster.client.list<KubeObject>(resource, { signal });
      for (const { metadata } of items) {
        const ref = { name: metadata.name };
        // The loop that protects VolumeAttributesClasses is not run.
        if (metadata.finalizers) await cluster.client.patch<KubeObject>(resource, ref, unprotected, { signal });
        await cluster.client.delete(resource, ref, { signal });
      }
    }
  }

  async function play(played: Case): Promise<ReadonlyMap<string, Recording>> {
    // Events outlive a case: those of other makers are in another namespace.
    const makerLetters = sidecarNames.map((name) => makers[name].charAt(0)).join('');
    const words = `${makerLetters} ${played.name}`.toLowerCase();
    const namespace = words
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, 50)
      .replace(/-$/, '');
    const names = createNameBook();
    const moments = new Map<string, Recording>();
    const { client } = cluster;
    const apply = (yaml: string): Promise<void> =>
      cluster.apply(yaml.replaceAll('$driver', driver.name).replaceAll('$namespace', namespace));
    const look = async <T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined> => {
      try {
        return await client.get(resource, ref, { signal });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    };
    const until: CaseStage['until'] = (what, seek) =>
      waitUntil({ what: `${played.name}: ${what}`, look: seek, timeoutMs: awaitMs, signal });
    const observe = (): Promise<Recording> =>
      record({
        cluster,
        calls: driver.calls,
        namespace,
        driverName: driver.name,
        names,
        about: played.about,
        isRetrying: played.isRetrying ?? false,
      });
    const restores: (() => void)[] = [];
    const stage: CaseStage = {
      client,
      driver: {
        ...driver,
        on(rpc, handler) {
          const restore = driver.on(rpc, handler);
          restores.push(restore);
          return restore;
        },
      },
      namespace,
      signal,
      apply,
      look,
      until,
      /** Events and clean-ups come after what a case waits for: recorded once nothing changes any more. */
      async record(moment) {
        const deadline = performance.now() + settleMs;
        let last = await observe();
        let isSettled = false;
        while (!isSettled && performance.now() < deadline) {
          await sleep(settlePauseMs, undefined, { signal });
          const now = await observe();
          isSettled = JSON.stringify(now) === JSON.stringify(last);
          last = now;
        }
        if (!isSettled) throw new Error(`${played.name}: what is recorded at "${moment}" does not come to rest`);
        moments.set(moment, last);
      },
    };
    await apply(`{apiVersion: v1, kind: Namespace, metadata: {name: $namespace}}${driverObject}${node('node-a', 'a')}`);
    driver.calls.length = 0;
    await cluster.forgetRequests();
    const sidecar = sidecars.get(played.about);
    try {
      await played.play(stage);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw new Error(`${said}\nthe end of its log:\n${lastLines(sidecar?.log() ?? '', 25)}`, { cause: error });
    } finally {
      for (const restore of restores.toReversed()) restore();
    }
    await clear();
    return moments;
  }

  return {
    play,
    driver,
    sidecars,
    async startReplica(name, maker) {
      const program = await startSidecar(name, maker, place);
      replicas.set(name, program);
      await waitUntil({
        what: `${program.label} to wait for the lease`,
        look: () => {
          if (!program.isRunning()) throw new Error(`${program.label} ended:\n${lastLines(program.log(), 20)}`);
          return /[Aa]ttempting to acquire leader lease/.test(program.log()) ? true : undefined;
        },
        timeoutMs: awaitMs,
        signal,
      });
    },
    async end(name) {
      await sidecars.get(name)?.stop();
      const replica = replicas.get(name);
      if (replica !== undefined) sidecars.set(name, replica);
      replicas.delete(name);
    },
    stop,
  };
}
