import {
  createWorkQueue,
  type Outcome,
  type QueueMetrics,
  runController,
  runPeriodically,
  type Store,
} from '@holdfast/control';
import { type Clock, formatBytes, type Logger } from '@holdfast/core';
import {
  type CSIStorageCapacity,
  csiStorageCapacities,
  isNotFound,
  type KubeClient,
  type OwnerReference,
  type StorageClass,
} from '@holdfast/kube';
import { rpcErrorText } from '@holdfast/rpc';
import type { CsiCalls } from '../csi-calls.ts';
import { segmentsOf, type Term, termOf } from '../topology-terms.ts';
import type { CapacityCounts } from './capacity-metrics.ts';
import { type CapacityStep, decideCapacity, isTold, type Room } from './decide-capacity.ts';
import { DRIVER_LABEL, GENERATE_NAME, MANAGER_LABEL, QUEUE_NAME } from './names.ts';
import { type Pair, pairKey } from './segments.ts';

export interface CapacityDeps {
  readonly client: KubeClient;
  readonly calls: Pick<CsiCalls, 'getCapacity'>;
  readonly classes: Store<StorageClass>;
  /** Index `pair`, see {@link pairOf}. */
  readonly capacities: Store<CSIStorageCapacity>;
  /** The places there are now. */
  readonly segments: () => readonly Term[];
  /** Hears when they may have changed. */
  readonly onSegments: (listener: () => void) => () => void;
  readonly driverName: string;
  readonly managerId: string;
  readonly namespace: string;
  readonly owner: OwnerReference | undefined;
  readonly isForImmediateBinding: boolean;
  readonly workers: number;
  readonly pollIntervalMs: number;
  readonly retryIntervalStartMs: number;
  readonly retryIntervalMaxMs: number;
  readonly queueMetrics: QueueMetrics | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface CapacityController extends CapacityCounts {
  run(signal: AbortSignal): Promise<void>;
  /** A volume came or went: of these places when they are known, else wherever the class may be. */
  refresh(className: string, places: readonly Term[] | undefined): void;
}

export function pairOf(object: CSIStorageCapacity): Pair {
  return { className: object.storageClassName, term: termOf(object.nodeTopology?.matchLabels ?? {}) };
}

/** Keeps one CSIStorageCapacity for each class in each place, and each up to date. */
export function createCapacityController(deps: CapacityDeps): CapacityController {
  const { client, calls, classes, capacities, driverName, owner, clock, log } = deps;
  const queue = createWorkQueue({
    name: QUEUE_NAME,
    baseMs: deps.retryIntervalStartMs,
    maxMs: deps.retryIntervalMaxMs,
    clock,
    metrics: deps.queueMetrics,
  });
  let wanted = new Map<string, Pair>();
  const rooms = new Map<string, Room>();
  let isDue = false;

  function wantedNow(): Map<string, Pair> {
    const told = classes.list().filter((each) => isTold(each, driverName, deps.isForImmediateBinding));
    const terms = deps.segments();
    return new Map(
      told.flatMap(({ metadata }) =>
        terms.map((term): [string, Pair] => {
          const pair = { className: metadata.name, term };
          return [pairKey(pair), pair];
        }),
      ),
    );
  }

  function askAgain(key: string): void {
    rooms.delete(key);
    queue.add(key);
  }

  /** What has come is asked about, what has gone is removed; the others stay as they are. */
  function reconsider(): void {
    const before = wanted;
    wanted = wantedNow();
    for (const key of wanted.keys()) if (!before.has(key)) askAgain(key);
    for (const key of before.keys()) if (!wanted.has(key)) askAgain(key);
  }

  /** Once for all that one turn of the watches brings: a thousand nodes that register are a thousand events. */
  function soon(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      reconsider();
    });
  }

  function decide(key: string): CapacityStep {
    const objects = [...capacities.byIndex('pair', key)].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return decideCapacity({ isWanted: wanted.has(key), objects, room: rooms.get(key) }, owner);
  }

  async function ask(key: string, pair: Pair, signal: AbortSignal): Promise<void> {
    const parameters = classes.get(pair.className)?.parameters ?? {};
    // Upstream's request: the parameters as they are, reserved ones too, and no capabilities.
    const request = { parameters: { ...parameters }, volumeCapabilities: [] };
    const answer = await calls.getCapacity(request, { segments: segmentsOf(pair.term) }, signal);
    if (answer.kind === 'failed') {
      throw new Error(
        `GetCapacity for class ${pair.className} in ${JSON.stringify(segmentsOf(pair.term))}: ${rpcErrorText(answer.error)}`,
      );
    }
    const { availableBytes, maximumVolumeBytes } = answer;
    rooms.set(key, { availableBytes, maximumVolumeBytes });
  }

  async function create({ className, term }: Pair, room: Room, signal: AbortSignal): Promise<void> {
    const made = await client.create(
      csiStorageCapacities,
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIStorageCapacity',
        metadata: {
          generateName: GENERATE_NAME,
          namespace: deps.namespace,
          labels: { [DRIVER_LABEL]: driverName, [MANAGER_LABEL]: deps.managerId },
          ...(owner ? { ownerReferences: [owner] } : {}),
        },
        storageClassName: className,
        nodeTopology: { matchLabels: segmentsOf(term) },
        ...sizesOf(room),
      },
      { signal },
    );
    capacities.applyWrite(made);
  }

  async function update({ metadata }: CSIStorageCapacity, room: Room, signal: AbortSignal): Promise<void> {
    const { name, namespace = deps.namespace, resourceVersion, ownerReferences = [] } = metadata;
    const isOwned = owner === undefined || ownerReferences.some(({ uid }) => uid === owner.uid);
    const owners = isOwned ? {} : { ownerReferences: [...ownerReferences.map(released), owner] };
    const body = { metadata: { resourceVersion, ...owners }, maximumVolumeSize: null, ...sizesOf(room) };
    capacities.applyWrite(
      await client.patch(csiStorageCapacities, { name, namespace }, { kind: 'merge', body }, { signal }),
    );
  }

  async function remove({ metadata }: CSIStorageCapacity, signal: AbortSignal): Promise<void> {
    const { name, namespace = deps.namespace, uid } = metadata;
    try {
      await client.delete(csiStorageCapacities, { name, namespace }, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    capacities.applyDelete(`${namespace}/${name}`, uid);
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const pair = wanted.get(key);
    for (;;) {
      const step = decide(key);
      log.debug(5, 'Next step of the capacity', { pair: key, step: step.kind, reason: step.reason });
      if (step.kind === 'done') return { kind: 'done' };
      if (step.kind === 'remove') for (const object of step.objects) await remove(object, signal);
      else if (step.kind === 'update') await update(step.object, step.room, signal);
      // The pair may have gone since; whoever noticed has queued it.
      else if (!pair || !wanted.has(key)) return { kind: 'done' };
      else if (step.kind === 'ask') await ask(key, pair, signal);
      else await create(pair, step.room, signal);
    }
  }

  return {
    goal: () => wanted.size,
    current: () => [...wanted.keys()].filter((key) => capacities.byIndex('pair', key).length > 0).length,
    obsolete: () => capacities.list().filter((object) => !wanted.has(pairKey(pairOf(object)))).length,
    refresh(className, places) {
      // Room that a volume took is missing to every class.
      const classNames = places ? new Set(classes.list().map(({ metadata }) => metadata.name)) : [className];
      for (const name of classNames) {
        for (const term of places ?? deps.segments()) {
          const key = pairKey({ className: name, term });
          if (wanted.has(key)) askAgain(key);
        }
      }
    },
    async run(signal) {
      const subscriptions = [
        classes.subscribe(soon),
        deps.onSegments(soon),
        capacities.subscribe(({ object }) => queue.add(pairKey(pairOf(object)))),
      ];
      reconsider();
      for (const object of capacities.list()) queue.add(pairKey(pairOf(object)));
      const poll = () => {
        for (const key of wanted.keys()) askAgain(key);
      };
      try {
        await Promise.all([
          runController({ name: QUEUE_NAME, queue, workers: deps.workers, reconcile, log, signal }),
          runPeriodically({ periodMs: deps.pollIntervalMs, act: poll, clock, signal }),
        ]);
      } finally {
        for (const unsubscribe of subscriptions) unsubscribe();
      }
    },
  };
}

function sizesOf({ availableBytes, maximumVolumeBytes }: Room): { capacity: string; maximumVolumeSize?: string } {
  return {
    capacity: formatBytes(availableBytes),
    ...(maximumVolumeBytes === undefined ? {} : { maximumVolumeSize: formatBytes(maximumVolumeBytes) }),
  };
}

/** There is one controller of an object at most: whoever was it before us no longer is. */
function released(owner: OwnerReference): OwnerReference {
  return { ...owner, controller: false };
}
