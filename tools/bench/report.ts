import type { Comparison } from './compare.ts';
import type { Conditions } from './conditions.ts';
import { renderTables, spreadText } from './tables.ts';

/** The figures in which we do worse, the worst first; what has no ratio, as theirs is zero, comes before all others. */
export function behind(comparisons: readonly Comparison[]): readonly Comparison[] {
  const factor = ({ ratio, verdict, unit }: Comparison): number => {
    if (ratio === undefined) return Number.POSITIVE_INFINITY;
    const isRate = verdict === 'slower' && unit !== 'ms';
    return isRate ? 1 / ratio : ratio;
  };
  return comparisons
    .filter(({ verdict }) => verdict === 'slower' || verdict === 'more')
    .toSorted((a, b) => factor(b) - factor(a));
}

/** The page docs/benchmarks.md. */
export function renderPage(comparisons: readonly Comparison[], conditions: Conditions): string {
  return `# Benchmarks

Written by \`npm run bench -- --write-docs\`; do not edit. Our sidecars (*ours*) and the Go ones (*theirs*), in turn, beside the
same driver, under the same load, on a control plane that is fresh for every run (one for all runs where it has to be filled first): etcd,
kube-apiserver, kube-controller-manager and the load generator on the same machine. Where two makers share a slow part, as the binding of claims by kube-controller-manager,
their rates come out alike whoever waits less.

A cell is \`min / median / max\` of the runs, or the one value that all of them had. The ratio is ours to theirs, of the medians; the
last column says what it means for us, and says *alike* within 5 %. With two cores and a few runs, a ratio near 1 is noise.

${conditionsList(conditions)}

## How it is measured

- **Rate**: objects divided by the time from the first request to the last object's arrival. **Latencies** are from just before an object's
  request until its watch event reaches the load generator, by one monotonic clock in one process.
- **API writes** come from the API server's audit log, by user agent: create, update, patch and delete, those refused included, leases
  and events apart, until two seconds pass without one.
- **CPU** is user and system time of the process from \`/proc\`; **resident** is VmRSS and **anonymous** is RssAnon, what no other process can share.
- **default flags** are each maker's own. Go's sidecars then send at most 5 requests a second; ours have no such limit unless told.
  **no client-side limit** is \`--kube-api-qps=2000 --kube-api-burst=4000\` and 100 workers for both.
- **started → its work done** is from the execution of a sidecar, on a cluster that is full, to the end of one piece of work that had been waiting
  for it. It holds whatever a program does before it can work: loading, listing, syncing.
- **volumes change that nobody needs to act on**: each is patched as fast as the API server takes it, which is slower than any sidecar reads. So
  what counts is the CPU that a sidecar spends on it, and how long work that is asked for right behind it has to wait.
- **attachments that take long, attachments and expansions that fail** have a driver of their own (tools/bench/load/troubled-driver.ts), which
  counts the calls that reach it, and 100 workers for both. They are measured once.
- **on each node**: the program stands still for 20 seconds, then 100 checks of its health are asked for, one after the other. The Go ones are
  not published as Go modules; where there are figures of theirs, they were given with \`--upstream-node\`.
- Nothing here is a test. What must hold is in the test suites; this page says what it costs.

## Where we are behind

${behindList(comparisons)}

${renderTables(comparisons, 2)}`;
}

function conditionsList(conditions: Conditions): string {
  const upstream = Object.entries(conditions.upstream).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${conditions.date}, commit ${conditions.commit}, ${conditions.runs} runs of each, in alternating order`,
    `- ${conditions.cores} cores (${conditions.processor}), ${conditions.memoryMiB.toLocaleString('en')} MiB, Linux ${conditions.kernel}`,
    `- ours: Holdfast ${conditions.holdfast} on Node ${[conditions.node, ...conditions.nodeFlags].join(' ')}; theirs and the control plane: ${upstream.join(', ')}`,
    `- driver: ${conditions.driver}`,
  ].join('\n');
}

function behindList(comparisons: readonly Comparison[]): string {
  const worse = behind(comparisons);
  if (worse.length === 0) return 'In nothing that was measured.';
  return worse
    .map(({ section, name, unit, ours, theirs, ratio, verdict }) => {
      const factor = ratio === undefined ? '' : `, ${ratio.toFixed(2)} times`;
      const medians = `${spreadText(alone(ours), unit)} against ${spreadText(alone(theirs), unit)} ${unit}`;
      return `- ${verdict}${factor}: ${name} (${section}): ${medians}`;
    })
    .join('\n');
}

function alone(spread: Comparison['ours']): Comparison['ours'] {
  return spread && { min: spread.median, median: spread.median, max: spread.median };
}
