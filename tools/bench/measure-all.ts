import type { Maker } from '../rig/contract.ts';
import { type BenchArguments, troubles } from './arguments.ts';
import { type Footing, openFooting } from './footing.ts';
import { measureFull, prepareFull } from './measure-full.ts';
import { measureLoad, operationsFor } from './measure-load.ts';
import { measureNode } from './measure-node.ts';
import { measureOneProcess } from './measure-one-process.ts';
import { measureReflector } from './measure-reflector.ts';
import { measureTrouble, withTrouble } from './measure-trouble.ts';
import type { Figure, Measurement } from './measurement.ts';

interface Voice {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Every run of every maker: first one, then the other, and the other way round the next time. */
export async function measureAll(args: BenchArguments, { say, signal }: Voice): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  const turns = turnsOf(args);
  const recordFor =
    ({ maker, run }: Turn) =>
    (figure: Figure): void =>
      void measurements.push({ ...figure, maker, run });

  if (operationsFor(args.parts).length > 0) {
    for (const turn of turns) {
      say(`run ${turn.run} of ${args.runs}, ${turn.maker}`);
      await onFooting(args, signal, async (footing) => {
        const deps = { args, maker: turn.maker, footing, record: recordFor(turn), say, signal };
        for (const load of args.loads) await measureLoad(load, deps);
      });
    }
  }
  for (const part of troubles.filter((each) => args.parts.has(each))) {
    for (const { maker } of turnsOf({ ...args, runs: 1 })) {
      await onFooting(withTrouble(args, part), signal, (footing) =>
        measureTrouble(part, { args, maker, footing, record: recordFor({ maker, run: 1 }), say, signal }),
      );
    }
  }
  if (args.parts.has('node')) {
    for (const turn of turns) await measureNode({ args, maker: turn.maker, record: recordFor(turn), say, signal });
  }
  if (args.parts.has('full')) {
    // Filling takes longer than measuring, and a measurement changes next to nothing: all of them share one cluster.
    await onFooting(args, signal, async (footing) => {
      const full = await prepareFull(turns.length, { args, footing, say, signal });
      for (const [nth, turn] of turns.entries()) {
        await measureFull(full, nth, { args, maker: turn.maker, footing, record: recordFor(turn), say, signal });
      }
    });
  }
  if (args.parts.has('one-process')) {
    await onFooting(args, signal, async (footing) => {
      const ways = turns.map((turn) => ({ maker: turn.maker, record: recordFor(turn) }));
      await measureOneProcess(ways, { args, footing, say, signal });
    });
  }
  if (args.parts.has('reflector') && args.makers.includes('ours')) {
    for (let run = 1; run <= args.runs; run += 1) await measureReflector(recordFor({ maker: 'ours', run }), signal);
  }
  return measurements;
}

interface Turn {
  readonly maker: Maker;
  readonly run: number;
}

export function turnsOf({ makers, runs }: Pick<BenchArguments, 'makers' | 'runs'>): readonly Turn[] {
  return Array.from({ length: runs }, (_, index) => index + 1).flatMap((run) =>
    (run % 2 === 1 ? makers : makers.toReversed()).map((maker) => ({ maker, run })),
  );
}

async function onFooting(
  args: BenchArguments,
  signal: AbortSignal,
  work: (footing: Footing) => Promise<void>,
): Promise<void> {
  const footing = await openFooting(args, signal);
  try {
    await work(footing);
  } finally {
    await footing.stop();
  }
}
