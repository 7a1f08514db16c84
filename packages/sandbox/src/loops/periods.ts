/** How long the loops wait before they give something up; kube-controller-manager's own where they are flags there. */
export interface LoopPeriods {
  /** `--node-monitor-grace-period`: silence after which a node's conditions become Unknown. */
  readonly nodeMonitorGraceMs: number;
  /** How often pods of nodes that are gone are looked for; such a node is waited for twice as long. */
  readonly podGcMs: number;
  /** How long a node that is not ready may keep a volume mounted that nobody wants any more. */
  readonly maxWaitForUnmountMs: number;
}

// 50 s since Kubernetes 1.32; podgc: gcCheckPeriod; attachdetach: DefaultTimerConfig.
export const defaultPeriods: LoopPeriods = {
  nodeMonitorGraceMs: 50_000,
  podGcMs: 20_000,
  maxWaitForUnmountMs: 6 * 60_000,
};
