import type { Outcome } from '@holdfast/control';
import { systemClock } from '@holdfast/core';
import { isNotFound, type Node, nodes, type Pod, pods } from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys } from '../loop.ts';
import { leaseNamespace, reasons } from '../names.ts';
import { isReady, readyStatus, type Taint } from '../node-health.ts';
import { nextTaints, unknownConditions } from './decide.ts';

/** A sign of life, and when it was seen here: the node's own clock may be wrong. */
interface Sign {
  readonly what: string;
  readonly atMs: number;
}

// A node that has never reported gets longer, as by --node-startup-grace-period.
const startupGraceMs = 60_000;

/** The node lifecycle controller: a silent node's conditions become Unknown, taints follow the conditions, its pods are no longer ready. */
export function createNodeLifecycleLoop(deps: LoopDeps): Loop {
  const { caches, client, periods } = deps;
  const clock = deps.clock ?? systemClock;
  const signs = new Map<string, Sign>();
  /** The readiness of each node for which its pods were marked. */
  const marked = new Map<string, string>();

  async function reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const seen = caches.nodes.get(name);
    if (seen === undefined) {
      signs.delete(name);
      marked.delete(name);
      return { kind: 'done' };
    }
    const leftMs = graceLeftMs(seen);
    const node = leftMs > 0 ? seen : await giveUp(seen, signal);
    const isAnyReady = caches.nodes.list().some((one) => isReady(one.metadata.name === name ? node : one));
    const taints = nextTaints(node, isAnyReady, clock.nowMs());
    if (taints !== undefined) {
      await writeTaints(node, taints, signal);
    }
    await markPods(node, signal);
    return leftMs > 0 ? { kind: 'again', afterMs: leftMs } : { kind: 'done' };
  }

  /** How long the node may stay silent from now on. */
  function graceLeftMs(node: Node): number {
    const { name, uid } = node.metadata;
    const lease = caches.nodeLeases.get(`${leaseNamespace}/${name}`);
    const heartbeats = (node.status?.conditions ?? [])
      .filter(({ status }) => status !== 'Unknown')
      .map(({ type, lastHeartbeatTime }) => `${type}=${lastHeartbeatTime ?? ''}`);
    const what = [uid, lease?.spec?.renewTime ?? '', ...heartbeats].join(' ');
    const last = signs.get(name);
    const sign = last !== undefined && !isNews(last.what, what) ? last : { what, atMs: clock.monotonicMs() };
    signs.set(name, { ...sign, what });
    const graceMs = readyStatus(node) === undefined ? startupGraceMs : periods.nodeMonitorGraceMs;
    return Math.max(0, sign.atMs + graceMs - clock.monotonicMs());
  }

  async function giveUp(node: Node, signal: AbortSignal): Promise<Node> {
    const conditions = unknownConditions(node, clock.nowMs());
    if (conditions === undefined) {
      return node;
    }
    const { name, uid, resourceVersion } = node.metadata;
    // Were the kubelet to report at this very moment, this write would be refused.
    const body = { metadata: { uid, resourceVersion }, status: { conditions } };
    const written = await client.patch(nodes, { name }, { kind: 'strategic', body }, { subresource: 'status', signal });
    if (isReady(node)) {
      tellNode(node, reasons.nodeNotReady, `Node ${name} status is now: NodeNotReady`);
    }
    deps.log.warn('A node is silent', { node: name });
    caches.nodes.applyWrite(written);
    return written;
  }

  async function writeTaints({ metadata }: Node, taints: readonly Taint[], signal: AbortSignal): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    const body = { metadata: { uid, resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } };
    caches.nodes.applyWrite(await client.patch(nodes, { name }, { kind: 'merge', body }, { signal }));
  }

  /** Once for each time that the node stops being ready: a kubelet that is back says otherwise. */
  async function markPods(node: Node, signal: AbortSignal): Promise<void> {
    const { name, uid } = node.metadata;
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    const state = ready === undefined || ready.status === 'True' ? '' : `${uid} ${ready.lastTransitionTime ?? ''}`;
    if (state === '' || marked.get(name) === state) {
      return;
    }
    for (const pod of caches.pods.byIndex('node', name).filter(isPodReady)) {
      await markNotReady(pod, signal);
    }
    marked.set(name, state);
  }

  async function markNotReady(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = pod.metadata;
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: new Date(clock.nowMs()).toISOString() };
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await client.patch(pods, { name, namespace }, { kind: 'strategic', body }, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
      return;
    }
    const object = { kind: 'Pod', apiVersion: 'v1', metadata: pod.metadata };
    deps.recorder.event(object, 'Warning', reasons.nodeNotReady, 'Node is not ready');
  }

  function tellNode({ metadata }: Node, reason: string, message: string): void {
    deps.recorder.event({ kind: 'Node', apiVersion: 'v1', metadata }, 'Normal', reason, message);
  }

  return createLoop(deps, {
    name: 'node-lifecycle',
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      const enqueueAll = () => caches.nodes.list().forEach(({ metadata }) => enqueue(metadata.name));
      watchKeys(caches.nodes, enqueue);
      // Whether anybody is evicted at all hangs on all nodes.
      caches.nodes.subscribe((change) => {
        const was = change.kind === 'updated' ? isReady(change.old) : change.kind === 'deleted';
        if (was !== isReady(change.kind === 'deleted' ? undefined : change.object)) {
          enqueueAll();
        }
      });
      caches.nodeLeases.subscribe(({ object }) => enqueue(object.metadata.name));
    },
  });
}

/** A condition that was set to Unknown, here, is no sign of life: only what is there and was not before counts. */
function isNews(before: string, now: string): boolean {
  const known = new Set(before.split(' '));
  return now.split(' ').some((part) => part !== '' && !known.has(part));
}

function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
