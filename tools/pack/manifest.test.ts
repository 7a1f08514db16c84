import { expect, test } from 'vitest';
import { packageFolder } from './bundle.ts';
import { publishedManifest, type SourceManifest } from './manifest.ts';
import { publishedReadme } from './readme.ts';

const source: SourceManifest = {
  name: '@holdfast/one',
  version: '1.2.3',
  description: 'One',
  license: 'Apache-2.0',
  sideEffects: false,
  exports: { '.': './src/index.ts', './testing': './src/testing/index.ts', './package.json': './package.json' },
  dependencies: { '@holdfast/core': '1.2.3' },
};

test('entry points lead to JavaScript and its types, and a library has no program', () => {
  const manifest = publishedManifest(source, { folder: 'one' });
  expect(manifest.exports).toEqual({
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
    './package.json': './package.json',
  });
  expect(manifest).toMatchObject({ dependencies: source.dependencies, files: ['dist'] });
  expect(Object.keys(manifest)).not.toContain('bin');
  expect(Object.keys(manifest)).not.toContain('repository');
});

test('a program that nobody imports needs nothing', () => {
  const program = { ...source, exports: { './package.json': './package.json' }, holdfast: { program: 'one' } };
  const manifest = publishedManifest(program, { folder: 'one', repository: 'https://host.example/o/n' });
  expect(manifest.bin).toEqual({ one: 'dist/bin/one.mjs' });
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.repository).toEqual({
    type: 'git',
    url: 'git+https://host.example/o/n.git',
    directory: 'packages/one',
  });
});

test('links out of a package lead to its version in the repository, or become text', () => {
  const text = 'See [a page](../../docs/a.md#b), [the web](https://x.example) and [below](#below).';
  const at = { folder: 'one', version: '1.2.3' };
  expect(publishedReadme(text, at)).toBe('See a page, [the web](https://x.example) and [below](#below).');
  expect(publishedReadme(text, { ...at, repository: 'https://host.example/o/n' })).toContain(
    '[a page](https://host.example/o/n/blob/v1.2.3/docs/a.md#b)',
  );
});

test.each([
  ['node_modules/a/index.js', 'node_modules/a'],
  ['node_modules/@s/a/lib/index.js', 'node_modules/@s/a'],
  ['node_modules/a/node_modules/b/index.js', 'node_modules/a/node_modules/b'],
  ['packages/core/src/index.ts', undefined],
])('%s belongs to %s', (path, folder) => {
  expect(packageFolder(path)).toBe(folder);
});
