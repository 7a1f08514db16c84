import { errorMessage } from '@holdfast/core';
import { createKubeClient, type KubeClient, type KubeConfig, loadKubeConfig } from '@holdfast/kube';
import { ExitError } from './exit.ts';
import type { ProgramContext } from './run-program.ts';

export interface KubeAccess {
  readonly client: KubeClient;
  /** A client of its own for the lease, so that throttled work cannot cost it. */
  readonly electionClient: KubeClient;
  close(): void;
}

export interface KubeAccessDeps {
  readonly values: {
    readonly kubeconfig: string;
    readonly kubeApiQps: number;
    readonly kubeApiBurst: number;
    readonly leaderElectionRenewDeadlineMs: number;
    readonly master?: string;
  };
  readonly context: Pick<ProgramContext, 'name' | 'version' | 'env' | 'log' | 'fatalExitCode'>;
  /** csi-provisioner lets KUBECONFIG override its flag; the others do not read it. */
  readonly isKubeconfigEnvHonoured?: boolean;
}

/** @throws ExitError when there is no configuration to be had */
export async function connectKube(deps: KubeAccessDeps): Promise<KubeAccess> {
  const { values, context } = deps;
  const config = await load(deps);
  const userAgent = `${context.name}/${context.version}`;
  const client = createKubeClient({
    config,
    userAgent,
    log: context.log,
    qps: values.kubeApiQps,
    burst: values.kubeApiBurst,
  });
  const electionClient = createKubeClient({
    config,
    userAgent: `${userAgent} leader-election`,
    log: context.log,
    // Half, so that a renewal on a dead connection leaves time for another; kube-controller-manager does the same.
    requestTimeoutMs: values.leaderElectionRenewDeadlineMs / 2,
  });
  return {
    client,
    electionClient,
    close() {
      client.close();
      electionClient.close();
    },
  };
}

async function load({ values, context, isKubeconfigEnvHonoured }: KubeAccessDeps): Promise<KubeConfig> {
  const fromEnv = isKubeconfigEnvHonoured ? context.env.KUBECONFIG : undefined;
  try {
    return await loadKubeConfig({
      kubeconfig: fromEnv || values.kubeconfig,
      env: context.env,
      ...(values.master === undefined ? {} : { master: values.master }),
    });
  } catch (error) {
    throw new ExitError(errorMessage(error), { exitCode: context.fatalExitCode, cause: error });
  }
}
