import { rename, rm, writeFile } from 'node:fs/promises';
import { systemClock, untilAborted } from '@holdfast/core';
import { createKubeClient, loadKubeConfig } from '@holdfast/kube';
import { type ProgramContext, runGroup } from '@holdfast/sidecar';
import { kubeconfigText } from './apiserver/kubeconfig.ts';
import { type Credentials, createCredentials } from './apiserver/persistence/credentials.ts';
import { openDataDir } from './apiserver/persistence/data-dir.ts';
import type { Journal } from './apiserver/persistence/journal.ts';
import { createApiServer } from './apiserver/server.ts';
import { openAuditLog } from './audit-log.ts';
import type { ApiServerFlags } from './flags.ts';
import { runLoops } from './loops/index.ts';

/** Serves the API, and beside it, as clients like any other, the loops. */
export async function runApiServer(values: ApiServerFlags, context: ProgramContext): Promise<void> {
  if (values.dataDir === '') {
    await serve(values, context, { credentials: createCredentials(systemClock.nowMs()) });
    return;
  }
  const data = await openDataDir(values.dataDir, systemClock.nowMs());
  try {
    const { revision, objects } = data.journal.restored;
    context.log.info('Objects of an earlier run', { dataDir: values.dataDir, count: objects.length, revision });
    await serve(values, context, data);
  } finally {
    await data.close();
  }
}

async function serve(
  values: ApiServerFlags,
  context: ProgramContext,
  kept: { readonly credentials: Credentials; readonly journal?: Journal },
): Promise<void> {
  const { log, signal } = context;
  const token = values.token === '' ? kept.credentials.adminToken : values.token;
  const audit = openAuditLog(values.auditLogPath, log);
  const server = await createApiServer({
    ...kept,
    port: values.port,
    tokens: { [token]: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } },
    tls: values.tls,
    log,
    onReply: audit.write,
  });
  try {
    await writeKubeconfig(values.kubeconfigOut, kubeconfigText({ url: server.url, ca: server.ca, token }));
    log.info('API server is ready', { url: server.url, kubeconfig: values.kubeconfigOut });
    await (values.loops ? runLoopsAgainst(values, context) : untilAborted(signal));
  } finally {
    await server.stop();
    await audit.close();
    await rm(values.kubeconfigOut, { force: true });
  }
}

async function runLoopsAgainst(values: ApiServerFlags, { log, signal, name, version }: ProgramContext): Promise<void> {
  const config = await loadKubeConfig({ kubeconfig: values.kubeconfigOut, env: {} });
  const client = createKubeClient({ config, userAgent: `${name}-loops/${version}`, log });
  const periods = {
    nodeMonitorGraceMs: values.nodeMonitorGracePeriodMs,
    podGcMs: values.podGcPeriodMs,
    maxWaitForUnmountMs: values.maxWaitForUnmountMs,
  };
  try {
    await runGroup({ loops: (groupSignal) => runLoops({ client, periods, log, signal: groupSignal }) }, signal);
  } finally {
    client.close();
  }
}

/** Whoever waits for the file finds it whole, and finds an API that answers. */
async function writeKubeconfig(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
