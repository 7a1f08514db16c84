import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../bundle-options.ts';

/** Bundles programs, which share their chunks, into one folder, with the licences of what has gone into them. */
export async function bundlePrograms(
  mains: Readonly<Record<string, string>>,
  { root, out }: { readonly root: string; readonly out: string },
): Promise<void> {
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: mains,
    outdir: out,
    absWorkingDir: root,
    metafile: true,
  });
  const used = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => packageFolder(path) ?? []);
  const folders = [...new Set(used)].toSorted();
  writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), folders.map((folder) => notice(join(root, folder))).join('\n'));
  for (const program of Object.keys(mains)) chmodSync(join(out, `${program}.mjs`), 0o755);
}

/** The folder of the dependency that a file belongs to. */
export function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function notice(folder: string): string {
  const { name, version, license }: { name: string; version: string; license?: string } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const body = texts.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${[`── ${name} ${version} (${license ?? 'see below'})`, ...body].join('\n\n')}\n`;
}
