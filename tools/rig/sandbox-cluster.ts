import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import { bundleOf } from './bundles.ts';
import { openCluster } from './cluster-client.ts';
import type { Cluster, Program } from './contract.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import { lastLines, startProgram } from './program.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

export interface SandboxClusterOptions {
  readonly signal: AbortSignal;
  /** `none`: the API server alone, without the loops. */
  readonly controllers?: 'none';
}

export interface SandboxCluster extends Cluster {
  /** The one process that is the cluster. */
  readonly programs: readonly Program[];
}

const readyTimeoutMs = 180_000;
const kubeconfigText = z.object({
  clusters: z.tuple([
    z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.string() }) }),
  ]),
});

/** The sandbox's API server and loops as a process, with its objects in a folder, so that it can be started again. */
export async function startSandboxCluster(options: SandboxClusterOptions): Promise<SandboxCluster> {
  const { signal, controllers } = options;
  const folder = makeTemporaryFolder('sandbox');
  const ownKubeconfig = join(folder.path, 'sandbox.kubeconfig');
  const adminKubeconfig = join(folder.path, 'kubeconfig');
  const auditLog = join(folder.path, 'audit.log');
  const token = randomBytes(24).toString('hex');
  let program: Program | undefined;
  try {
    program = await startProgram({
      label: 'holdfast-sandbox',
      file: process.execPath,
      args: [
        bundleOf('sandbox', 'holdfast-sandbox'),
        'apiserver',
        `--port=${await freePort()}`,
        `--kubeconfig-out=${ownKubeconfig}`,
        `--token=${token}`,
        `--data-dir=${join(folder.path, 'data')}`,
        `--audit-log-path=${auditLog}`,
        `--loops=${controllers !== 'none'}`,
        // As the real control plane's, see control-plane-flags.ts.
        '--node-monitor-grace-period=6s',
        '--pod-gc-period=5s',
      ],
      logFile: join(folder.path, 'logs', 'holdfast-sandbox.log'),
    });
    const running = program;
    const access = await untilReady(running, ownKubeconfig, signal);
    // The program takes its own file away when it ends; this one stays through a restart.
    writeKubeconfig(adminKubeconfig, access, { name: 'admin', token });
    const { close, ...cluster } = await openCluster({ folder: folder.path, access, adminKubeconfig, auditLog, signal });
    return {
      kind: 'sandbox',
      url: access.url,
      adminKubeconfig,
      ...cluster,
      programs: [running],
      async restartApiServer({ downMs = 0 } = {}) {
        await running.kill();
        rmSync(ownKubeconfig, { force: true });
        await sleep(downMs, undefined, { signal });
        await running.start();
        await untilReady(running, ownKubeconfig, signal);
      },
      async stop() {
        close();
        await running.stop();
        folder.remove();
      },
    };
  } catch (error) {
    await program?.stop();
    folder.remove();
    throw error;
  }
}

/** The program writes its kubeconfig once it answers. */
async function untilReady(
  program: Program,
  kubeconfig: string,
  signal: AbortSignal,
): Promise<{ url: string; ca: string }> {
  try {
    return await waitUntil({
      what: `${program.label} to write its kubeconfig ${kubeconfig}`,
      look: () => {
        if (!program.isRunning()) throw new Error(`${program.label} ended`);
        return readAccess(kubeconfig);
      },
      timeoutMs: readyTimeoutMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`${said}; the end of its log:\n${lastLines(program.log(), 30)}`, { cause: error });
  }
}

function readAccess(path: string): { url: string; ca: string } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const { clusters } = kubeconfigText.parse(parse(text));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  return { url: server, ca: Buffer.from(ca, 'base64').toString() };
}
