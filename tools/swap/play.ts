// Plays the cases of some sidecars before each maker's program.
import type { Cluster, Maker, SidecarName } from '../rig/contract.ts';
import type { Case } from './case.ts';
import type { Recording } from './observe/recording.ts';
import { openStage, type Stage } from './stage.ts';

/** By case, then by moment. */
export type Played = ReadonlyMap<string, Playing>;

export type Playing =
  | { readonly kind: 'recorded'; readonly moments: ReadonlyMap<string, Recording> }
  | { readonly kind: 'failed'; readonly message: string };

export interface PlayOptions {
  readonly cluster: Cluster;
  readonly cases: readonly Case[];
  /** Who wrote each sidecar. */
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function playCases({ cluster, cases, makers, say, signal }: PlayOptions): Promise<Played> {
  const played = new Map<string, Playing>();
  for (const [driverName, alike] of Map.groupBy(cases, (each) => each.driverName)) {
    await playOnStage(alike, driverName);
  }
  return played;

  async function playOnStage(alike: readonly Case[], driverName: string | undefined): Promise<void> {
    const stage = await openStage({ cluster, makers, signal, ...(driverName === undefined ? {} : { driverName }) });
    try {
      await playEach(stage, alike);
    } finally {
      await stage.stop();
    }
  }

  async function playEach(stage: Stage, alike: readonly Case[]): Promise<void> {
    for (const each of alike) {
      const started = performance.now();
      const playing = await stage.play(each).then(
        (moments): Playing => ({ kind: 'recorded', moments }),
        (error: unknown): Playing => {
          signal.throwIfAborted();
          return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
        },
      );
      played.set(each.name, playing);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      say(`  ${makers[each.about]} ${each.about}: ${each.name} (${playing.kind}, ${seconds} s)`);
    }
  }
}
