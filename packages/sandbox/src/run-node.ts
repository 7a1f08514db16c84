import { access } from 'node:fs/promises';
import { type Logger, systemClock } from '@holdfast/core';
import { createKubeClient, loadKubeConfig } from '@holdfast/kube';
import type { ProgramContext } from '@holdfast/sidecar';
import type { KubeletFlags } from './flags.ts';
import { runKubelet } from './kubelet/index.ts';

const kubeconfigPollMs = 100;
const kubeconfigLimitMs = 30_000;

/** A node: the kubelet, as a client of the API it finds in its kubeconfig. */
export async function runNode(values: KubeletFlags, context: ProgramContext): Promise<void> {
  const { log, signal, name, version } = context;
  await waitForFile(values.kubeconfig, log, signal);
  const config = await loadKubeConfig({ kubeconfig: values.kubeconfig, env: context.env });
  const client = createKubeClient({ config, userAgent: `${name}-kubelet/${version}`, log });
  try {
    await runKubelet({
      client,
      nodeName: values.nodeName,
      rootDir: values.rootDir,
      labels: values.nodeLabels,
      httpPort: values.httpPort,
      heartbeatMs: values.nodeStatusUpdateFrequencyMs,
      cleanUpOnExit: values.cleanupOnExit,
      log,
      signal,
    });
  } finally {
    client.close();
  }
}

/** Both programs may be started at once; the API server writes the file when it is ready. */
async function waitForFile(path: string, log: Logger, signal: AbortSignal): Promise<void> {
  const limit = systemClock.monotonicMs() + kubeconfigLimitMs;
  for (let isFirstLook = true; ; isFirstLook = false) {
    try {
      await access(path);
      return;
    } catch (error) {
      if (isFirstLook) log.info('Waiting for the kubeconfig, which the API server writes', { path });
      if (systemClock.monotonicMs() > limit) {
        throw new Error(
          `no kubeconfig at ${path} after 30s: start holdfast-sandbox apiserver --kubeconfig-out=${path}`,
          {
            cause: error,
          },
        );
      }
    }
    await systemClock.sleep(kubeconfigPollMs, signal);
  }
}
