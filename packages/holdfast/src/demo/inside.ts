import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage, untilAborted } from '@holdfast/core';
import { findInstallation } from '../installation.ts';
import { actOn } from './act/act.ts';
import { writesByProgram } from './audit.ts';
import { buildPrograms } from './build.ts';
import { cleanUp, sweepStale, workFolderPrefix } from './clean-up.ts';
import { openCluster } from './cluster.ts';
import { idleMemory } from './memory.ts';
import type { DemoOptions } from './options.ts';
import { apiServer, type Backend, kubelet, type Places, placesIn } from './programs.ts';
import { createReport, formatMs, type Report } from './report.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

/** The demo proper, in its own mount namespace. Whatever happens, nothing stays behind. Returns the exit code. */
export async function runInside(options: DemoOptions, isRoot: boolean): Promise<number> {
  // Mounts must reach the pods' namespaces, which are slaves of this one, and nothing beyond.
  execFileSync('mount', ['--make-rshared', '/']);
  const report = createReport(process.stdout);
  sweepStale(report);
  const stopping = stopWithTheUser();
  const work = mkdtempSync(join(tmpdir(), workFolderPrefix(process.pid)));
  const places = placesIn(work);
  mkdirSync(join(work, 'logs'));
  const supervisor = createSupervisor({
    logFolder: join(work, 'logs'),
    onFailure: (label, reason) => stopping.abort(new Error(`${label} failed: ${reason}`)),
  });
  let code = 0;
  let outcome = 'Everything is cleaned up.';
  try {
    const tookMs = await play({ options, isRoot, places, supervisor, report, signal: stopping.signal });
    const who = isRoot ? 'a disk and a directory' : 'a directory';
    outcome = `Done: ${who} lived, grew and vanished without a trace in ${formatMs(tookMs)}.`;
  } catch (error) {
    code = failureCode(error, stopping.signal, report, supervisor);
  }
  report.waiting('cleaning up');
  if (!(await cleanUp(places, supervisor, report))) return code || 1;
  report.title(outcome);
  return code;
}

class Interrupted extends Error {}

/** Ctrl-C, a closed terminal, and a reader that went away (`npm run demo | head`) all end the demo, which then cleans up. */
function stopWithTheUser(): AbortController {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Interrupted());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', stop);
  return stopping;
}

function failureCode(error: unknown, signal: AbortSignal, report: Report, supervisor: Supervisor): number {
  const cause: unknown = signal.aborted ? signal.reason : error;
  if (cause instanceof Interrupted) {
    report.note('stopped');
    return 130;
  }
  report.failure(errorMessage(cause));
  for (const { label } of supervisor.running()) {
    const tail = supervisor.logTail(label, 5);
    if (tail !== '') report.note(`last lines of ${label}:\n${tail}`);
  }
  return 1;
}

/** @returns how long it took, in ms, without the time that `--keep` left it running. */
async function play(deps: {
  options: DemoOptions;
  isRoot: boolean;
  places: Places;
  supervisor: Supervisor;
  report: Report;
  signal: AbortSignal;
}): Promise<number> {
  const { places, supervisor, report, signal } = deps;
  const backends: Backend[] = deps.isRoot ? ['disk', 'dir'] : ['dir'];
  const began = performance.now();
  report.title("Holdfast: a claim's whole life, on real sockets and real mounts");
  if (!deps.isRoot)
    report.note('Not root, so without `disk`: only root may make loop devices. `dir` runs in a user namespace.');
  await buildPrograms(report, signal);
  const started = performance.now();
  supervisor.start(apiServer(places));
  supervisor.start(kubelet(places));
  const cluster = await openCluster(places, signal);
  report.step('API server and kubelet are up', performance.now() - started, `KUBECONFIG=${places.kubeconfig}`);
  for (const backend of backends) {
    await actOn({ backend, cluster, places, supervisor, report, kills: deps.options.kills, signal });
  }
  report.title('What it cost');
  report.table(writesByProgram(places.auditLog));
  report.table(idleMemory(supervisor.running()));
  const tookMs = performance.now() - began;
  if (deps.options.keep) await keepRunning(places, report, signal);
  return tookMs;
}

async function keepRunning(places: Places, report: Report, signal: AbortSignal): Promise<void> {
  report.title('Everything is left running. Try, in another terminal:');
  report.note(`KUBECONFIG=${places.kubeconfig} kubectl get pvc,pv,volumeattachments`);
  report.note(`KUBECONFIG=${places.kubeconfig} kubectl apply -f ${join(findInstallation().examplesDir, 'dir')}`);
  report.note(`logs are in ${join(places.work, 'logs')}; Ctrl-C here cleans up`);
  await untilAborted(signal);
  if (!(signal.reason instanceof Interrupted)) throw signal.reason;
}
