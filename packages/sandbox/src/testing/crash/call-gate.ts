import { rpcError } from '@holdfast/rpc';
import type { ScriptedDriver } from '../scripted-driver.ts';
import type { TestCluster } from '../test-cluster.ts';

/**
 * When a program is killed, seen from outside: a call has not been sent, it has taken effect and its reply has not arrived,
 * or the reply has arrived and nothing came of it.
 */
export const crashPhases = ['before', 'after', 'replied'] as const;
export type CrashPhase = (typeof crashPhases)[number];

export interface CrashPoint {
  /** `create persistentvolumes #1`, `CreateVolume #2`: the n-th call of its kind that the program makes. */
  readonly call: string;
  readonly phase: CrashPhase;
}

export function describePoint({ call, phase }: CrashPoint): string {
  return `${phase} ${call}`;
}

/** Stands between a program and all it talks to. */
export interface CallGate {
  /** The calls that came while nothing was armed, in order. */
  readonly calls: readonly string[];
  /** Has `kill` called at the point; from then on nothing that the program still sends has any effect. */
  arm(point: CrashPoint, kill: () => void): void;
  /** Resolves when `kill` has been called. */
  readonly killed: Promise<void>;
  /** The armed call has come; `kill` is called now, or follows once its reply has arrived. */
  readonly isReached: boolean;
  /** Lets the calls of a successor through, once the killed one is gone. */
  reopen(): void;
}

type Verdict = 'pass' | 'refuse' | 'loseReply';

// Long enough that a reply has arrived, where no further call shows that it has.
const REPLY_MS = 100;

export function createCallGate(deps: {
  cluster: TestCluster;
  driver: ScriptedDriver;
  /** Tells the program's requests from others. */
  userAgentPrefix: string;
}): CallGate {
  const { cluster, driver, userAgentPrefix } = deps;
  const calls: string[] = [];
  const counts = new Map<string, number>();
  const killed = Promise.withResolvers<void>();
  let armed: { point: CrashPoint; kill: () => void } | undefined;
  let state: 'open' | 'replying' | 'closed' = 'open';
  let isReached = false;

  function close(): void {
    if (state === 'closed') return;
    state = 'closed';
    armed?.kill();
    armed = undefined;
    killed.resolve();
  }

  function judge(kind: string): Verdict {
    if (state === 'closed') return 'refuse';
    if (state === 'replying') {
      close();
      return 'refuse';
    }
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const call = `${kind} #${count}`;
    calls.push(call);
    if (armed?.point.call !== call) return 'pass';
    isReached = true;
    switch (armed.point.phase) {
      case 'before':
        close();
        return 'refuse';
      case 'after':
        close();
        return 'loseReply';
      case 'replied':
        state = 'replying';
        setTimeout(() => {
          if (state === 'replying') close();
        }, REPLY_MS);
        return 'pass';
      default:
        return armed.point.phase satisfies never;
    }
  }

  cluster.intercept(({ userAgent, verb, resource, subresource, method, path }) => {
    if (!userAgent.startsWith(userAgentPrefix)) return undefined;
    const kind = resource === '' ? `${method} ${path}` : `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    const verdict = judge(kind);
    if (verdict === 'pass') return undefined;
    return { drop: verdict === 'refuse' ? 'before' : 'after' };
  });
  driver.around(async ({ method }, proceed) => {
    const verdict = judge(method);
    if (verdict === 'refuse') throw rpcError('Unavailable', 'the caller was killed before it called');
    const reply = await proceed();
    if (verdict === 'loseReply') throw rpcError('Unavailable', 'the caller was killed before it had its reply');
    return reply;
  });

  return {
    calls,
    arm(point, kill) {
      armed = { point, kill };
    },
    killed: killed.promise,
    get isReached() {
      return isReached;
    },
    reopen() {
      state = 'open';
    },
  };
}
