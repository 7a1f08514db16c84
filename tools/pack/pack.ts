import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { stage } from './stage.ts';

export interface PackDeps {
  readonly root: string;
  readonly repository?: string | undefined;
  readonly signal: AbortSignal;
}

export interface Tarball {
  readonly name: string;
  readonly path: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly files: number;
}

interface NpmPacked {
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
}

/** Makes the file of every package, as it is published, in `.holdfast/packages`. */
export async function pack({ root, repository, signal }: PackDeps): Promise<Tarball[]> {
  const work = join(root, '.holdfast', 'packages');
  mkdirSync(work, { recursive: true });
  for (const old of readdirSync(work)) if (old.endsWith('.tgz')) rmSync(join(work, old));
  const folders = await stage({ root, work, repository, signal });
  const args = ['pack', ...folders, '--json', '--ignore-scripts', `--pack-destination=${work}`];
  const { stdout } = await run('npm', args, { cwd: work, env: withoutNpm(process.env), signal });
  const packed: NpmPacked[] = JSON.parse(stdout);
  return packed.map(({ name, filename, size, unpackedSize, entryCount }) => {
    const path = join(work, filename);
    return { name, path, packedBytes: size, unpackedBytes: unpackedSize, files: entryCount };
  });
}

/** What `npm run` puts into the environment would tell an npm below it that it works on this project. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)));
}
