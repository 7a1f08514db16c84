// `npm run rig`: a rig to try things on by hand. It says where its kubeconfig and logs are, and takes everything down on Ctrl-C.
import { untilAborted } from '@holdfast/core';
import { buildBundles } from './bundles.ts';
import { inMountNamespace } from './mount-namespace.ts';
import { OptionError, parseOptions, type RigMainOptions, usage } from './options.ts';
import { logFolder, startRig } from './rig.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      process.stdout.write(usage);
      return 0;
    }
    return await inMountNamespace({ prepare: buildBundles, run: (signal) => hold(options, signal) });
  } catch (error) {
    const isMisuse = error instanceof OptionError;
    process.stderr.write(`rig: ${error instanceof Error ? error.message : String(error)}\n${isMisuse ? usage : ''}`);
    return isMisuse ? 2 : 1;
  }
}

async function hold(options: RigMainOptions, signal: AbortSignal): Promise<number> {
  const { cluster, backend, sidecars, nodes, zone } = options;
  const started = performance.now();
  const rig = await startRig(
    {
      cluster,
      backend,
      makers: { provisioner: sidecars, attacher: sidecars, resizer: sidecars },
      nodes: Array.from({ length: nodes }, (_, index) => ({
        name: `node-${index + 1}`,
        ...(zone === undefined ? {} : { zone }),
      })),
    },
    signal,
  );
  console.log(`${cluster} with ${backend} is up after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  console.log(`  export KUBECONFIG=${rig.cluster.adminKubeconfig}`);
  console.log(`  logs: ${logFolder(rig)}`);
  console.log(`  mounts are in its namespace: nsenter --mount --target ${process.pid}`);
  console.log('Ctrl-C takes everything down.');
  await untilAborted(signal);
  for (const left of await rig.stop()) console.log(`was left behind, and is removed: ${left}`);
  return 0;
}
