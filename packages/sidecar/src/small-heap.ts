import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const checkEveryMs = 5_000;
const idleShare = 0.05;
const worthBytes = 4 * 2 ** 20;

/**
 * Keeps the process as small as what it holds. After 1,000 claims that is under 20 MiB, and V8 of Node 24 had grown its young
 * generation alone to as much as 128 MiB, and never gave it back.
 *
 * The young generation stays as it is now: V8 reads the growth factor each time it would grow it, so that this holds in a process that
 * runs already, which --max-semi-space-size does not. It costs no CPU that can be measured, because what a sidecar allocates dies young.
 *
 * What a burst leaves in the old generation V8 collects at its next need, which in an idle program does not come. So it is collected
 * here, once, when the work is over; V8 returns the empty pages some seconds later.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  const collect = garbageCollector();
  let cpu = process.cpuUsage();
  let collectedBytes = 0;
  const check = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const heapBytes = getHeapStatistics().used_heap_size;
    const busyShare = (user + system) / 1000 / checkEveryMs;
    if (!isCollectionDue({ busyShare, heapBytes, collectedBytes })) return;
    collect();
    collectedBytes = getHeapStatistics().used_heap_size;
  };
  setInterval(check, checkEveryMs).unref();
}

/** A collection stops the program for as long as it takes to go through what is alive: it is for idle times, and must be worth it. */
export function isCollectionDue(seen: {
  /** Of one core. */
  readonly busyShare: number;
  readonly heapBytes: number;
  /** What the last collection left. */
  readonly collectedBytes: number;
}): boolean {
  const { busyShare, heapBytes, collectedBytes } = seen;
  return busyShare < idleShare && heapBytes - collectedBytes >= Math.max(worthBytes, collectedBytes / 4);
}

/** V8 hands its collector only to contexts that are made while the flag is set. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? () => void Reflect.apply(collect, undefined, []) : () => {};
}
