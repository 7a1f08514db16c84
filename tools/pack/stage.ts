// Lays each package out as it is published, in a folder of its own below `stage`.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { samplePath, templatePath, versionsInSources } from '../../packages/holdfast/src/new/kit.ts';
import { bundlePrograms } from './bundle.ts';
import { compile } from './compile.ts';
import { libraryEntries, publishedManifest, type SourceManifest } from './manifest.ts';
import { publishedReadme } from './readme.ts';

export interface StageDeps {
  readonly root: string;
  /** Everything is made below it. */
  readonly work: string;
  readonly repository?: string | undefined;
  readonly signal: AbortSignal;
}

interface Source {
  readonly folder: string;
  readonly manifest: SourceManifest;
}

/** The command brings every program, because the demo starts each as a process of its own. */
const command = 'holdfast';

/** @returns the folders, one for each package */
export async function stage(deps: StageDeps): Promise<string[]> {
  const { root, work, signal } = deps;
  const sources = readdirSync(join(root, 'packages')).map((folder): Source => {
    const manifest: SourceManifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
    return { folder, manifest };
  });
  const entries = sources.flatMap(({ folder, manifest }) =>
    [...libraryEntries(manifest.exports).values()].map((path) => join(root, 'packages', folder, 'src', `${path}.ts`)),
  );
  const compiled = join(work, 'compiled');
  await compile(entries, { root, out: compiled, signal });
  rmSync(join(work, 'stage'), { recursive: true, force: true });
  const folders: string[] = [];
  for (const source of sources) {
    signal.throwIfAborted();
    folders.push(await stageOne(source, sources, compiled, deps));
  }
  rmSync(compiled, { recursive: true });
  return folders;
}

async function stageOne(
  { folder, manifest }: Source,
  all: readonly Source[],
  compiled: string,
  { root, work, repository }: StageDeps,
): Promise<string> {
  const to = join(work, 'stage', folder);
  const dist = join(to, 'dist');
  mkdirSync(to, { recursive: true });
  const library = join(compiled, folder, 'src');
  if (existsSync(library)) renameSync(library, dist);
  const program = manifest.holdfast?.program;
  if (program !== undefined) {
    const bundled = program === command ? all : [{ folder, manifest }];
    await bundlePrograms(mainsOf(bundled, root), { root, out: join(dist, 'bin') });
  }
  if (program === command) await stageCommandFiles(dist, root);
  const { version } = manifest;
  const readme = readFileSync(join(root, 'packages', folder, 'README.md'), 'utf8');
  writeFileSync(join(to, 'README.md'), publishedReadme(readme, { folder, version, repository }));
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  writeFileSync(
    join(to, 'package.json'),
    `${JSON.stringify(publishedManifest(manifest, { folder, repository }), undefined, 2)}\n`,
  );
  return to;
}

function mainsOf(sources: readonly Source[], root: string): Record<string, string> {
  const mains = sources.map(({ folder, manifest }) => [
    manifest.holdfast?.program,
    join(root, 'packages', folder, 'src', 'bin.ts'),
  ]);
  return Object.fromEntries(mains.filter(([program]) => program !== undefined));
}

/** What the command reads: see `findInstallation`. */
async function stageCommandFiles(dist: string, root: string): Promise<void> {
  cpSync(join(root, 'deploy', 'examples'), join(dist, 'examples'), { recursive: true });
  cpSync(join(root, templatePath), join(dist, 'template'), { recursive: true });
  cpSync(join(root, samplePath), join(dist, 'template', 'driver.ts'));
  writeFileSync(join(dist, 'template', 'versions.json'), JSON.stringify(await versionsInSources(root), undefined, 2));
}
