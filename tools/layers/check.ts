import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join, relative, resolve } from 'node:path';
import { floorOf, mayImport } from './floors.ts';

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const scope = '@holdfast/';
/** Imported by tests and by `src/testing/`, from the root's development dependencies. */
const testTools = new Set(['vitest', 'fast-check']);
const importPattern =
  /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? '');
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function isForTests(file: string): boolean {
  return file.endsWith('.test.ts') || file.includes('/testing/');
}

function checkImport(name: string, manifest: Manifest, file: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(specifier)) return `imports "${specifier}"; write "node:${specifier}"`;
  const target = packageOf(specifier);
  const isDeclared = target in (manifest.dependencies ?? {});
  if (isForTests(file)) {
    if (isDeclared || target in (manifest.devDependencies ?? {}) || testTools.has(target)) return undefined;
    return `imports "${target}", which package.json does not name`;
  }
  if (!isDeclared) return `imports "${target}", which package.json does not name under dependencies`;
  if (target.startsWith(scope) && !mayImport(name, target.slice(scope.length))) {
    return `imports "${target}", which is not on a lower floor (tools/layers/floors.ts)`;
  }
  return undefined;
}

/** Every import that breaks the house's rule, as "file: what is wrong". Empty when the package in `folder` keeps it. */
export function checkPackage(folder: string): string[] {
  const name = basename(folder);
  if (floorOf(name) === undefined) return [`${name}: has no floor; add it to tools/layers/floors.ts`];
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const problems: string[] = [];
  for (const target of Object.keys(manifest.dependencies ?? {})) {
    if (target.startsWith(scope) && !mayImport(name, target.slice(scope.length))) {
      problems.push(`${name}/package.json: depends on "${target}", which is not on a lower floor`);
    }
  }
  for (const file of globSync('src/**/*.ts', { cwd: folder }).sort()) {
    for (const specifier of importsOf(readFileSync(join(folder, file), 'utf8'))) {
      const problem = specifier.startsWith('.')
        ? relative(folder, resolve(folder, file, '..', specifier)).startsWith('..')
          ? `imports "${specifier}", which is inside another package; import that package by its name`
          : undefined
        : checkImport(name, manifest, file, specifier);
      if (problem !== undefined) problems.push(`${name}/${file}: ${problem}`);
    }
  }
  return problems;
}

export function checkHouse(packagesFolder: string): string[] {
  return readdirSync(packagesFolder)
    .map((name) => join(packagesFolder, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .flatMap(checkPackage);
}
