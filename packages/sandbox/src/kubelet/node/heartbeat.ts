import { runPeriodically } from '@holdfast/control';
import { type Clock, errorMessage, type Logger } from '@holdfast/core';
import { isNotFound, type KubeClient, type Node, nodes } from '@holdfast/kube';
import { createNodeLease } from './node-lease.ts';
import { isStatusCurrent, type NodeFacts, nodeStatus } from './node-status.ts';

// kubelet: nodeStatusReportFrequency, and a lease that lasts four renewals.
const statusReportMs = 5 * 60_000;
const renewalsPerLease = 4;

export interface HeartbeatDeps {
  readonly client: KubeClient;
  readonly facts: NodeFacts;
  /** The Node as last seen. */
  readonly node: () => Node | undefined;
  readonly onNode: (node: Node) => void;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Tells the cluster that this node lives: its lease in every round, its status every 5 minutes and when the Node says something else, as it
 * does after the node lifecycle controller had given it up.
 */
export async function runHeartbeat(deps: HeartbeatDeps, signal: AbortSignal): Promise<void> {
  const { client, facts, clock, intervalMs } = deps;
  const { nodeName } = facts;
  let reportedAtMs = clock.monotonicMs();
  const lease = createNodeLease({
    client,
    nodeName,
    node: deps.node,
    leaseDurationMs: intervalMs * renewalsPerLease,
    nowMs: () => clock.nowMs(),
  });

  async function reportStatus(): Promise<void> {
    const node = deps.node();
    const isDue = clock.monotonicMs() - reportedAtMs >= statusReportMs;
    if (node === undefined || (!isDue && isStatusCurrent(facts, node))) {
      return;
    }
    const body = { metadata: { uid: node.metadata.uid }, status: nodeStatus(facts, node, clock.nowMs()) };
    try {
      const patch = { kind: 'strategic', body } as const;
      deps.onNode(await client.patch(nodes, { name: nodeName }, patch, { subresource: 'status', signal }));
      reportedAtMs = clock.monotonicMs();
    } catch (error) {
      // The reflector tells that the Node is gone.
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  const repeat = (what: string, work: () => Promise<void>) =>
    runPeriodically({
      periodMs: intervalMs,
      isFirstAtOnce: true,
      clock,
      signal,
      act: async () => {
        try {
          await work();
        } catch (error) {
          if (!signal.aborted) {
            deps.log.warn(`${what} failed and is tried again`, { node: nodeName, error: errorMessage(error) });
          }
        }
      },
    });
  // Apart: a status that hangs must not cost the node its lease.
  await Promise.all([
    repeat('Renewing the lease of the node', () => lease.renew(signal)),
    repeat('Reporting the status of the node', reportStatus),
  ]);
}
