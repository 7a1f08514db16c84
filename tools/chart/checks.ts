// What can be said of the chart without a cluster.
import { differenceFrom, keep } from './golden.ts';
import { lint, runTool, template } from './helm.ts';
import { imagesOf } from './images.ts';
import type { Ledger } from './ledger.ts';
import { root, type ValueSet, valueSets, wrongValues } from './value-sets.ts';

const theirDriver = 'registry.example/hostpathplugin:v1.17.0';

export async function checkRendering(
  ledger: Ledger,
  { isUpdate, signal }: { readonly isUpdate: boolean; readonly signal: AbortSignal },
): Promise<void> {
  for (const set of valueSets) {
    const linted = await lint(set, signal);
    ledger.count(`${set.name}: helm lint`, linted.code === 0 ? undefined : linted.stderr + linted.stdout);
    const rendered = await template(set.values, signal);
    if (rendered.code !== 0) {
      ledger.count(`${set.name}: helm template`, rendered.stderr);
      continue;
    }
    if (isUpdate) keep(set, rendered.stdout);
    ledger.count(`${set.name}: as it is kept`, differenceFrom(set, rendered.stdout));
    ledger.count(`${set.name}: images`, wrongImages(set, imagesOf(rendered.stdout)));
  }
  for (const { set, says } of wrongValues) {
    const { code, stderr } = await template(['--set', set], signal);
    const isTold = code !== 0 && stderr.includes(says);
    ledger.count(`--set ${set} is refused`, isTold ? undefined : `exit code ${code}, said: ${stderr || 'nothing'}`);
  }
  for (const { name, golden } of valueSets) {
    if (!golden.startsWith('deploy/kustomize/')) continue;
    const built = await runTool('kubectl', ['kustomize', `${root}/deploy/kustomize/${name}`], { signal });
    ledger.count(`kubectl kustomize ${name}`, built.code === 0 ? undefined : built.stderr);
  }
}

/** Somebody else's driver brings its own image, and none of the Holdfast driver's; ours has no other. */
function wrongImages({ name }: ValueSet, images: readonly string[]): string | undefined {
  const isTheirs = name.startsWith('their-driver');
  const hasTheirs = images.includes(theirDriver);
  const hasOurs = images.some((image) => /\bholdfast-driver:/.test(image));
  if (isTheirs && hasTheirs && !hasOurs) return undefined;
  if (!isTheirs && !hasTheirs) return undefined;
  return `these images are wrong: ${images.join(', ')}`;
}
