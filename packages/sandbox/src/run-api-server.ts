import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { untilAborted } from '@holdfast/core';
import { createKubeClient, loadKubeConfig } from '@holdfast/kube';
import { type ProgramContext, runGroup } from '@holdfast/sidecar';
import { kubeconfigText } from './apiserver/kubeconfig.ts';
import { createApiServer } from './apiserver/server.ts';
import { openAuditLog } from './audit-log.ts';
import type { ApiServerFlags } from './flags.ts';
import { runLoops } from './loops/index.ts';

/** Serves the API, and beside it, as clients like any other, the loops. */
export async function runApiServer(values: ApiServerFlags, context: ProgramContext): Promise<void> {
  const { log, signal } = context;
  const token = values.token === '' ? randomUUID() : values.token;
  const audit = openAuditLog(values.auditLogPath, log);
  const server = await createApiServer({
    port: values.port,
    tokens: { [token]: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } },
    tls: values.tls,
    log,
    onReply: audit.write,
  });
  try {
    await writeKubeconfig(values.kubeconfigOut, kubeconfigText({ url: server.url, ca: server.ca, token }));
    log.info('API server is ready', { url: server.url, kubeconfig: values.kubeconfigOut });
    await (values.loops ? runLoopsAgainst(values.kubeconfigOut, context) : untilAborted(signal));
  } finally {
    await server.stop();
    await audit.close();
    await rm(values.kubeconfigOut, { force: true });
  }
}

async function runLoopsAgainst(kubeconfig: string, { log, signal, name, version }: ProgramContext): Promise<void> {
  const config = await loadKubeConfig({ kubeconfig, env: {} });
  const client = createKubeClient({ config, userAgent: `${name}-loops/${version}`, log });
  try {
    await runGroup({ loops: (groupSignal) => runLoops({ client, log, signal: groupSignal }) }, signal);
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
