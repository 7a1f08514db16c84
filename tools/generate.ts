// Generates packages/csi-spec/src/gen from /proto (messages and services with ts-proto, and the field table), then the pages of
// docs/flags from the programs' flag tables, and docs/sandbox-differences.md from the table of the differential test.
//
//   node tools/generate.ts           writes the files
//   node tools/generate.ts --check   exits 1 and names the files that are not up to date
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fieldTableSource, type Image } from './generate-field-table.ts';

const root = path.join(import.meta.dirname, '..');
const proto = path.join(root, 'proto');
const target = path.join(root, 'packages/csi-spec/src/gen');

function buf(...args: string[]): Buffer {
  const bin = path.join(root, 'node_modules/.bin');
  const searchPath = [path.dirname(process.execPath), bin, process.env.PATH].join(path.delimiter);
  return execFileSync(process.execPath, [path.join(bin, 'buf'), ...args], {
    cwd: root,
    env: { ...process.env, PATH: searchPath },
    maxBuffer: 64 * 2 ** 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function generateInto(folder: string): void {
  buf('generate', proto, '--template', path.join(proto, 'buf.gen.yaml'), '--output', folder);
  // Emitted because csi.proto imports it for its options, which the generated code does not carry.
  rmSync(path.join(folder, 'google/protobuf/descriptor.ts'));
  const image: Image = JSON.parse(buf('build', proto, '--output', '-#format=json').toString());
  writeFileSync(path.join(folder, 'field-table.ts'), fieldTableSource(image));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

function differingFiles(expected: string, actual: string): string[] {
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
  const names = new Set([...filesBelow(expected), ...filesBelow(actual)]);
  return [...names].filter((name) => read(path.join(expected, name)) !== read(path.join(actual, name))).sort();
}

function check(generated: string): void {
  const stale = differingFiles(generated, target);
  if (stale.length === 0) return;
  const names = stale.map((name) => `  ${path.relative(root, path.join(target, name))}\n`);
  process.stderr.write(`Generated code is not up to date with /proto:\n${names.join('')}Run: npm run generate\n`);
  process.exitCode = 1;
}

function replaceTarget(generated: string): void {
  rmSync(target, { recursive: true, force: true });
  cpSync(generated, target, { recursive: true });
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--check');
if (unknown.length > 0) {
  process.stderr.write(`generate: unknown argument ${unknown.join(' ')}; the only one is --check\n`);
  process.exitCode = 2;
} else {
  const generated = mkdtempSync(path.join(tmpdir(), 'holdfast-generate-'));
  try {
    generateInto(generated);
    if (process.argv.includes('--check')) check(generated);
    else replaceTarget(generated);
  } finally {
    rmSync(generated, { recursive: true, force: true });
  }
  // Only now: the programs import what was generated.
  const { writeFlagPages } = await import('./flag-pages.ts');
  writeFlagPages({ isCheck: process.argv.includes('--check') });
  const { acceptedDifferences } = await import('./differential/accepted.ts');
  const { differencesPage } = await import('./differential/differences-page.ts');
  // Its own test says when it is not up to date.
  if (!process.argv.includes('--check')) {
    writeFileSync(path.join(root, 'docs/sandbox-differences.md'), differencesPage(acceptedDifferences));
  }
}
