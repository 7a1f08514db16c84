import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from './run.ts';

/** A relative import in a declaration: compilers resolve `.js` there in any setting, `.ts` only in some. */
const tsImport = /(\bfrom |\bimport\(|\bimport )(["'])(\.{1,2}\/[^"']+)\.ts\2/g;

/**
 * Compiles the entry points and what they import, of every package at once: `OUT/PACKAGE/src/…`. Tests and programs' mains are
 * no part of it.
 * @throws Error with what the compiler said
 */
export async function compile(
  entries: readonly string[],
  { root, out, signal }: { readonly root: string; readonly out: string; readonly signal: AbortSignal },
): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const config = join(out, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    resolveJsonModule: true,
    rootDir: join(root, 'packages'),
    outDir: out,
  };
  const fromHere = (path: string): string => relative(dirname(config), path);
  const extended = fromHere(join(root, 'tsconfig.base.json'));
  const configure = (files: readonly string[]): void =>
    writeFileSync(config, JSON.stringify({ extends: extended, compilerOptions, files }, undefined, 2));
  configure(entries);
  const { stdout } = await run('tsc', ['-p', config, '--listFilesOnly'], { cwd: root, signal });
  // Each file is named: what the compiler meets first through the links in node_modules it takes for somebody else's, and emits nothing.
  configure(stdout.split('\n').filter((path) => path.startsWith(join(root, 'packages')) && path.endsWith('.ts')));
  await run('tsc', ['-p', config], { cwd: root, signal });
  for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.d.ts')) rewriteImports(join(out, file));
  }
}

function rewriteImports(path: string): void {
  const text = readFileSync(path, 'utf8');
  const beside = (target: string): string => join(dirname(path), target);
  const rewritten = text.replaceAll(tsImport, (whole, before: string, quote: string, target: string) =>
    existsSync(beside(`${target}.d.ts`)) ? `${before}${quote}${target}.js${quote}` : whole,
  );
  if (rewritten !== text) writeFileSync(path, rewritten);
}
