import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import * as z from 'zod';
import type { Cluster, ClusterKind } from '../rig/contract.ts';
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { asLastResort } from '../rig/last-resort.ts';
import { findLeft, takeAway } from '../rig/left-behind.ts';
import { startSandboxCluster } from '../rig/sandbox-cluster.ts';
import { captureFolder, captureVariable, reportFileName, roundFolder } from './capture-folder.ts';
import { openDoor } from './door.ts';
import type { Options, Round } from './options.ts';
import { type ClusterReference, clusterVariable, sidecarsVariable } from './settings.ts';
import { untilFresh } from './until-fresh.ts';

// An alpha gate of the API server: without it a claim loses the namespace of its source.
const apiServerArgs = ['--feature-gates=CrossNamespaceVolumeDataSource=true'];

interface Tally {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

const vitest = join(import.meta.dirname, '..', '..', 'node_modules', 'vitest', 'vitest.mjs');
const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
});

/** The suite on each cluster, one after the other, and there once for each round. @returns the exit code */
export async function runSuites(options: Options, signal: AbortSignal): Promise<number> {
  const tallies: Tally[] = [];
  for (const kind of options.clusters) {
    if (signal.aborted) break;
    tallies.push(await runSuite(kind, options, signal));
  }
  if (signal.aborted) {
    console.log('\nstopped before the end');
    return 130;
  }
  console.log('');
  for (const { title, passed, failed, seconds } of tallies) {
    console.log(`${title}: ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s`);
  }
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function runSuite(kind: ClusterKind, options: Options, signal: AbortSignal): Promise<Tally> {
  console.log(`\n── scenarios on ${kind === 'sandbox' ? 'the sandbox' : 'a Kubernetes control plane'}`);
  const started = performance.now();
  const folder = makeRunFolder();
  let counts = { passed: 0, failed: 0 };
  try {
    counts = await playOn(kind, options, { folder, signal });
  } catch (error) {
    // What failed because the user stopped it is no failure.
    if (!signal.aborted) {
      console.error(errorMessage(error));
      counts = { ...counts, failed: counts.failed + 1 };
    }
  }
  const left = sweep(folder);
  if (left.length > 0 && !signal.aborted) {
    console.error(`left behind, and taken away now:\n    ${left.join('\n    ')}`);
    counts = { ...counts, failed: counts.failed + 1 };
  }
  return { title: kind, ...counts, seconds: (performance.now() - started) / 1000 };
}

/** Every process of the run has its temporary files in here, so that what one leaves behind is found. The name is short: sockets are below. */
function makeRunFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-')));
  asLastResort(() => void sweep(folder));
  return folder;
}

function sweep(folder: string): string[] {
  const left = findLeft(folder);
  takeAway(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return left;
}

async function playOn(
  kind: ClusterKind,
  options: Options,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<{ passed: number; failed: number }> {
  const outerFolder = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  let cluster: Cluster | undefined;
  let closeDoor: (() => Promise<void>) | undefined;
  try {
    const began = performance.now();
    cluster =
      kind === 'sandbox'
        ? await startSandboxCluster({ signal })
        : await startKubernetesCluster({ signal, apiServerArgs });
    console.log(`── cluster is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const door = join(folder, 'door.sock');
    closeDoor = await openDoor(cluster, door);
    const { url, adminKubeconfig } = cluster;
    const counts = { passed: 0, failed: 0 };
    for (const [index, round] of options.rounds.entries()) {
      if (index > 0) await untilFresh(cluster, signal);
      if (options.rounds.length > 1)
        console.log(`\n── sidecars: ${round.makersText === '' ? 'ours' : round.makersText}`);
      const { passed, failed } = await runVitest({ kind, url, adminKubeconfig, door }, round, {
        options,
        folder,
        signal,
      });
      counts.passed += passed;
      counts.failed += failed;
    }
    return counts;
  } finally {
    await closeDoor?.();
    await cluster?.stop();
    if (outerFolder === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outerFolder;
  }
}

async function runVitest(
  reference: ClusterReference,
  { makersText }: Round,
  { options: { rounds, vitestArgs }, folder, signal }: { options: Options; folder: string; signal: AbortSignal },
): Promise<{ passed: number; failed: number }> {
  const captures = captureFolder();
  const ownCaptures = captures === undefined || rounds.length === 1 ? captures : roundFolder(captures, makersText);
  const reportFile = join(ownCaptures ?? folder, reportFileName);
  rmSync(reportFile, { force: true });
  const config = join(import.meta.dirname, 'vitest.config.ts');
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', `--config=${config}`, ...reporters, ...vitestArgs], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      [clusterVariable]: JSON.stringify(reference),
      [sidecarsVariable]: makersText,
      [captureVariable]: ownCaptures ?? '',
    },
  });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
  signal.removeEventListener('abort', onAbort);
  return readReport(reportFile, code);
}

/** A run that failed without a failed test (a file that cannot load, a rig that does not start) is a failure all the same. */
function readReport(file: string, code: number): { passed: number; failed: number } {
  const floor = code === 0 ? 0 : 1;
  try {
    const { numPassedTests, numFailedTests } = report.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { passed: numPassedTests, failed: Math.max(numFailedTests, floor) };
  } catch {
    return { passed: 0, failed: Math.max(1, floor) };
  }
}
