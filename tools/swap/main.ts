// `npm run test:swap`: each Go sidecar in place of ours on the same control plane, the same cases, and what each leaves behind.
// The last line is "N passed, N failed"; a program's flags, a case and a roll-over count as one, and so does the table of differences.
import { buildReference } from '../reference/build.ts';
import { buildBundles } from '../rig/bundles.ts';
import { parseOptions, usage } from './options.ts';
import { runSwap } from './run.ts';
import { sidecarNames } from './sidecars.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(usage);
    return 0;
  }
  try {
    const options = parseOptions(args);
    const wanted = sidecarNames.map((name) => `csi-${name}`);
    const cluster = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
    const names = options.cluster === 'kubernetes' ? [...wanted, ...cluster] : wanted;
    const { failed } = await buildReference(names, { say: console.log, signal: stop.signal });
    if (failed.length > 0) return 1;
    await buildBundles(stop.signal);
    return await runSwap(options, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) {
      console.log('\nstopped before the end');
      return 130;
    }
    console.error(`swap: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
