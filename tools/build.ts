// Bundles each program into one file, packages/<name>/dist/<program>.mjs: bundling halves start-up time and memory
// against loading node_modules (measured in docs/adr/0004-one-file-per-program.md).
// In a package's folder it builds that package; at the root, every one.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

const root = join(import.meta.dirname, '..');

function programOf(folder: string): string | undefined {
  const manifest: { holdfast?: { program?: string } } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return manifest.holdfast?.program;
}

async function bundle(folder: string, program: string): Promise<void> {
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: { [program]: join(folder, 'src', 'bin.ts') },
    outdir: join(folder, 'dist'),
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    absWorkingDir: root,
  });
  // Of which files each output is made: the images' bills of materials come from it.
  writeFileSync(join(folder, 'dist', 'inputs.json'), JSON.stringify(Object.keys(metafile.inputs)));
}

const started = performance.now();
const here = process.cwd();
const folders =
  here === root ? readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)) : [here];
for (const folder of folders) {
  const program = programOf(folder);
  if (program === undefined) continue;
  await bundle(folder, program);
  const size = statSync(join(folder, 'dist', `${program}.mjs`)).size;
  console.log(`built ${basename(folder)} → dist/${program}.mjs (${Math.ceil(size / 1024)} KiB)`);
}
console.log(`build took ${((performance.now() - started) / 1000).toFixed(1)} s`);
