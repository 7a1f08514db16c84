import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { referenceProgram } from '../reference/build.ts';

/** What kubelet's plugin manager does with a driver. */
export interface WatcherEvent {
  readonly event: string;
  readonly name: string;
  readonly endpoint: string;
  readonly versions: readonly string[] | null;
}

export interface PluginWatcher {
  /** The next thing it does. @throws Error where it does nothing in time */
  next(): Promise<WatcherEvent>;
  /** Accepts drivers from now on, or refuses them for a reason. */
  tell(word: 'accept' | `refuse ${string}`): Promise<void>;
  stop(): Promise<void>;
}

/** It looks at its sockets each second, and after a failure waits up to two. */
const PATIENCE_MS = 60_000;

export function watchPlugins(folder: string): PluginWatcher {
  const child = spawn(referenceProgram('plugin-watcher'), [folder], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function next(): Promise<WatcherEvent> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`kubelet did nothing for ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    try {
      const { value, done } = await Promise.race([lines.next(), late]);
      if (done === true) throw new Error('the plugin watcher ended');
      return JSON.parse(value);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    next,
    async tell(word) {
      child.stdin.write(`${word}\n`);
      const { event } = await next();
      if (!event.startsWith('heard ')) throw new Error(`kubelet did ${event} meanwhile`);
    },
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
