// Half-way through its work a sidecar is stopped, and the one of the other maker takes its lease and its objects over.
import {
  isNotFound,
  type Lease,
  leases,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '@holdfast/kube';
import type { Cluster, Maker, SidecarName } from '../../rig/contract.ts';
import { waitUntil } from '../../rig/wait-until.ts';
import { driverName } from '../driver-name.ts';
import { sidecarNamespace } from '../sidecars.ts';
import { openStage, type Stage } from '../stage.ts';
import { ledgerProblems } from './ledger.ts';
import { type Ledger, slowDown } from './slow-driver.ts';
import { namespace, objectCount, prepare, type Work, worksOf } from './work.ts';

export interface RolloverResult {
  readonly title: string;
  /** Empty where all is as it must be. */
  readonly problems: readonly string[];
}

const awaitMs = 180_000;
const other: Readonly<Record<Maker, Maker>> = { ours: 'upstream', upstream: 'ours' };

/** From `first` to the other maker and back, each time with work under way. */
export async function rollOver(deps: {
  readonly cluster: Cluster;
  readonly about: SidecarName;
  readonly first: Maker;
  readonly signal: AbortSignal;
}): Promise<RolloverResult[]> {
  const { cluster, about, first, signal } = deps;
  const makers = { provisioner: 'ours', attacher: 'ours', resizer: 'ours', [about]: first } as const;
  const stage = await openStage({ cluster, makers, signal });
  const place = { cluster, driverName };
  const results: RolloverResult[] = [];
  try {
    const ledger = slowDown(stage.driver);
    await prepare(place, about);
    if (about !== 'provisioner') await untilBound(cluster, signal);
    let running = first;
    for (const work of worksOf(about, place)) {
      const problems = await handOver({ cluster, stage, ledger, about, work, from: running, signal });
      results.push({ title: `${about} from ${running} to ${other[running]}, ${work.title}`, problems });
      running = other[running];
    }
    await clear(cluster, signal);
    const problems = await ledgerProblems(ledger, cluster);
    results.push({ title: `${about} from ${first} and back: nothing is left with the driver`, problems });
  } finally {
    await stage.stop();
  }
  return results;
}

async function handOver(deps: {
  readonly cluster: Cluster;
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly about: SidecarName;
  readonly work: Work;
  readonly from: Maker;
  readonly signal: AbortSignal;
}): Promise<string[]> {
  const { cluster, stage, ledger, about, work, from, signal } = deps;
  const until = (what: string, look: () => Promise<true | undefined>): Promise<true> =>
    waitUntil({ what: `${about}, ${work.title}: ${what}`, look, timeoutMs: awaitMs, signal });
  const asked = (): string[] =>
    stage.driver.calls.filter(({ method }) => method === work.method).map(({ request }) => volumeOf(request));
  const problems: string[] = [];

  const before = await leasesOf(cluster, about);
  stage.driver.calls.length = 0;
  await stage.startReplica(about, other[from]);
  await work.begin();
  await until('half of the calls', async () => (asked().length >= objectCount / 2 ? true : undefined));
  await stage.end(about);
  const atTheEnd = await work.done();
  const askedByFirst = asked();
  if (atTheEnd.size === objectCount)
    problems.push('all was done before the first sidecar had ended: nothing was handed over');
  try {
    await until('all done', async () => ((await work.done()).size === objectCount ? true : undefined));
  } catch (error) {
    signal.throwIfAborted();
    problems.push(`${String(error)}: ${(await work.done()).size} of ${objectCount}`);
  }
  const askedBySecond = asked().slice(askedByFirst.length);
  if (new Set(asked()).size !== objectCount)
    problems.push(`${work.method} was called for ${new Set(asked()).size} volumes`);
  // Whose end the API does not show, because the call or what had to be written after it was cut, is asked for again.
  const needless = askedBySecond.filter((volume) => atTheEnd.has(volume));
  if (needless.length > 0) problems.push(`${work.method} again for what was done: ${needless.join(', ')}`);
  // The Go programs repeat a call now and then, when their cache is behind their own write.
  const byOurs = from === 'ours' ? askedByFirst : askedBySecond;
  const repeated = byOurs.filter((volume, index) => byOurs.indexOf(volume) !== index);
  if (repeated.length > 0) problems.push(`ours called ${work.method} more than once: ${repeated.join(', ')}`);
  problems.push(...(await ledgerProblems(ledger, cluster)));
  return [...problems, ...leaseProblems(before, await leasesOf(cluster, about), `${about}-${other[from]}`)];
}

function volumeOf(request: unknown): string {
  if (typeof request !== 'object' || request === null) return '';
  if ('volumeId' in request) return String(request.volumeId);
  return 'name' in request ? String(request.name) : '';
}

const leaseNames: Readonly<Record<SidecarName, RegExp>> = {
  provisioner: /^swap-/,
  attacher: /^external-attacher-/,
  resizer: /^external-resizer-/,
};

async function leasesOf({ client }: Cluster, about: SidecarName): Promise<readonly Lease[]> {
  const { items } = await client.list(leases, { namespace: sidecarNamespace });
  return items.filter(({ metadata }) => leaseNames[about].test(metadata.name));
}

/** It must be the one lease, continued. */
export function leaseProblems(before: readonly Lease[], after: readonly Lease[], holder: string): string[] {
  const [old, now] = [before[0], after[0]];
  if (before.length !== 1 || after.length !== 1 || old === undefined || now === undefined) {
    const names = (list: readonly Lease[]): string => list.map(({ metadata }) => metadata.name).join(', ');
    return [`not one lease, before and after: ${names(before)}; ${names(after)}`];
  }
  const problems: string[] = [];
  if (old.metadata.uid !== now.metadata.uid) problems.push('the lease is another object');
  const [from, to] = [old.spec?.leaseTransitions ?? 0, now.spec?.leaseTransitions ?? 0];
  if (to <= from) problems.push(`leaseTransitions went from ${from} to ${to}`);
  if (now.spec?.holderIdentity !== holder)
    problems.push(`the lease is held by ${now.spec?.holderIdentity}, not ${holder}`);
  return problems;
}

async function untilBound({ client }: Cluster, signal: AbortSignal): Promise<void> {
  await waitUntil({
    what: 'the claims of the roll-over to be bound',
    look: async () => {
      const { items } = await client.list(persistentVolumeClaims, { namespace });
      return items.filter(({ status }) => status?.phase === 'Bound').length === objectCount ? true : undefined;
    },
    timeoutMs: awaitMs,
    signal,
  });
}

/** Nothing may be stuck: whatever is deleted goes, with the sidecars that run. */
async function clear({ client }: Cluster, signal: AbortSignal): Promise<void> {
  for (const { metadata } of (await client.list(persistentVolumeClaims, { namespace })).items) {
    await client.delete(persistentVolumeClaims, metadata).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  await waitUntil({
    what: 'every object of the roll-over to go',
    look: async () => {
      const lists = await Promise.all([
        client.list(persistentVolumeClaims, { namespace }),
        client.list(persistentVolumes),
        client.list(volumeAttachments),
      ]);
      return lists.every(({ items }) => items.length === 0) ? true : undefined;
    },
    timeoutMs: awaitMs,
    signal,
  });
}
