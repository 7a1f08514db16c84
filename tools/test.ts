// `npm test`: every check that needs Node alone, in the order in which a person would want to hear of a failure.
// `npm run test:root`: the tests that make mounts and loop devices, for root on Linux.
// The last line is "N passed, N failed"; each check counts as one, each test as one.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFooting, namespaceArgs } from './sanity/footing.ts';

interface Tally {
  passed: number;
  failed: number;
}

const root = join(import.meta.dirname, '..');
const reportFolder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function check(
  title: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Tally> {
  console.log(`\n── ${title}`);
  const started = performance.now();
  const code = await run(file, args, env);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(code === 0 ? `── ${title}: passed in ${seconds} s` : `── ${title}: FAILED (exit ${code})`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function vitest(title: string, env: NodeJS.ProcessEnv, within: readonly string[] = []): Promise<Tally> {
  const reportFile = join(reportFolder, 'vitest.json');
  const command = [...within, 'vitest', 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${reportFile}`];
  const [file = '', ...args] = command;
  const ran = await check(title, file, args, env);
  try {
    const report: { numPassedTests: number; numFailedTests: number; numFailedTestSuites: number } = JSON.parse(
      readFileSync(reportFile, 'utf8'),
    );
    // A run that failed without a failed test (a file that cannot load, an unhandled rejection) is a failure all the same.
    return { passed: report.numPassedTests, failed: Math.max(report.numFailedTests, ran.failed) };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

async function nodeOnlyChecks(): Promise<Tally[]> {
  const nx = { NX_DAEMON: 'false', NX_TUI: 'false' };
  return [
    await check('generated code is up to date', process.execPath, ['tools/generate.ts', '--check']),
    await check('type check', 'nx', ['run-many', '-t', 'typecheck', '--parallel=2', '--outputStyle=static'], nx),
    await check('type check of the tools', 'tsc', ['--noEmit', '-p', 'tools']),
    await check('lint', 'oxlint', ['--type-aware', 'packages', 'tools']),
    await check('format', 'biome', ['check', '.']),
    await check('layers', process.execPath, ['tools/layers/main.ts']),
    await check('bundles build', 'nx', ['run-many', '-t', 'build', '--parallel=2', '--outputStyle=static'], nx),
    await vitest('unit, property and sandbox tests', {}),
  ];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

if (process.argv.includes('--root') && !isRoot()) {
  console.error('npm run test:root makes mounts and loop devices; run it as root. `npm test` needs no root.');
  process.exit(1);
}

/**
 * In a mount namespace of their own: a container or another test that starts meanwhile would take a copy of their mounts along, and with
 * it hold their devices.
 */
async function rootTests(): Promise<Tally> {
  const footing = findFooting();
  if (footing.kind === 'root') {
    return vitest('tests that need root', { HOLDFAST_ROOT_TESTS: '1' }, ['unshare', ...namespaceArgs('root')]);
  }
  console.error(`npm run test:root: ${footing.kind === 'impossible' ? footing.reason : 'run it as root.'}`);
  return { passed: 0, failed: 1 };
}

const tallies = process.argv.includes('--root') ? [await rootTests()] : await nodeOnlyChecks();
rmSync(reportFolder, { recursive: true });
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
