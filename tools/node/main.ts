// `npm run test:node`: containerd, kubelet and a control plane in namespaces of their own, our images in them, the chart installed, and
// real pods that use its volumes. `-- --layout=combined` for one layout alone. The last line is "N passed, N failed".
import { buildReference } from '../reference/build.ts';
import { inNodeNamespaces } from './namespaces.ts';
import { parseOptions } from './options.ts';
import { buildImages, ownArchives, registry } from './own-images.ts';
import { whyNot } from './requirements.ts';
import { runNode } from './run-node.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === 'string') {
    console.error(`test:node: ${options}`);
    return 2;
  }
  const missing = whyNot();
  if (missing !== undefined) {
    console.log(`test:node: skipped: ${missing}\n\n0 passed, 0 failed`);
    return 0;
  }
  try {
    return await inNodeNamespaces({
      async prepare(signal) {
        const programs = [
          'etcd',
          'kube-apiserver',
          'kube-controller-manager',
          'kube-scheduler',
          'kubectl',
          'kubelet',
          'helm',
          'csi-attacher',
        ];
        const { failed } = await buildReference(programs, { say: console.log, signal });
        if (failed.length > 0) throw new Error(`not built: ${failed.join(', ')}`);
        if (options.hasImages) return;
        console.log('── images');
        await buildImages(signal);
      },
      run: (scratch, signal) =>
        runNode({
          scratch,
          layouts: options.layouts,
          only: options.only,
          images: { registry, archives: ownArchives() },
          signal,
        }),
    });
  } catch (error) {
    console.error(`test:node: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
