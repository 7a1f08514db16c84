// Bundles each program into one file, packages/<name>/dist/<program>.mjs: bundling halves start-up time and memory
// against loading node_modules (measured in docs/adr/0004-one-file-per-program.md).
// In a package's folder it builds that package; at the root, every one.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

function programOf(folder: string): string | undefined {
  const manifest: { holdfast?: { program?: string } } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return manifest.holdfast?.program;
}

/** CommonJS dependencies (grpc-js among them) call require for Node's own modules, which an ES module must provide. */
const requireShim = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

async function bundle(folder: string, program: string): Promise<void> {
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { [program]: join(folder, 'src', 'bin.ts') },
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    // Identifiers stay: stack traces name what they are about. With keepNames over short ones instead, each function that is made
    // while the program runs costs a call of Object.defineProperty, which was 8 % of a start on a full cluster.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: requireShim },
    logLevel: 'warning',
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
