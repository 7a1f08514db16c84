import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { leases } from '@holdfast/kube';
import type { Cluster } from '../rig/contract.ts';
import { freePort } from '../rig/free-port.ts';
import { startProgram } from '../rig/program.ts';
import { startSandboxCluster } from '../rig/sandbox-cluster.ts';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { type LockedDown, nobody, runLockedDown, strictest } from './locked-down.ts';

export interface CheckLockedDownDeps {
  readonly runtime: string;
  /** Mounts an image. */
  readonly mounted: (name: string) => string;
  readonly check: (what: string, isTrue: boolean, seen?: unknown) => void;
  readonly signal: AbortSignal;
}

const driverName = 'locked.csi.example.com';

/** When a program has done what it is for, so that the driver has answered it. */
interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly hasWorked: (program: LockedDown) => Promise<unknown>;
}

async function casesFor({ client }: Cluster, registration: string): Promise<readonly Case[]> {
  const healthPort = await freePort();
  const healthy = async (): Promise<true | undefined> => {
    const reply = await fetch(`http://127.0.0.1:${healthPort}/healthz`).catch(() => undefined);
    return reply?.status === 200 ? true : undefined;
  };
  const leaderOf = (sidecar: string): Case['hasWorked'] => {
    const lease = { namespace: 'default', name: `${sidecar}${driverName.replaceAll('.', '-')}` };
    const held = async (): Promise<true | undefined> => {
      const { items } = await client.list(leases, { namespace: 'default' });
      const found = items.find(({ metadata }) => metadata.name === lease.name);
      return (found?.spec?.holderIdentity ?? '') === '' ? undefined : true;
    };
    // The driver's name, which is in the lease's, is its answer to GetPluginInfo.
    return (program) => program.until(`the lease ${lease.name}`, held);
  };
  const controller = ['--csi-address=/pod/csi.sock', '--kubeconfig=/pod/kubeconfig', '--leader-election'];
  const electing = [...controller, '--leader-election-namespace=default'];
  return [
    {
      name: 'livenessprobe',
      args: ['--csi-address=/pod/csi.sock', `--http-endpoint=127.0.0.1:${healthPort}`],
      hasWorked: (program) => program.until('/healthz', healthy),
    },
    {
      name: 'csi-node-driver-registrar',
      args: ['--csi-address=/pod/csi.sock', '--kubelet-registration-path=/pod/csi.sock'],
      hasWorked: (program) =>
        program.until('its registration socket', () =>
          existsSync(join(registration, `${driverName}-reg.sock`)) ? true : undefined,
        ),
    },
    { name: 'csi-provisioner', args: electing, hasWorked: leaderOf('') },
    { name: 'csi-attacher', args: electing, hasWorked: leaderOf('external-attacher-leader-') },
    { name: 'csi-resizer', args: electing, hasWorked: leaderOf('external-resizer-') },
    { name: 'holdfast', args: ['controllers', ...electing], hasWorked: leaderOf('external-resizer-') },
  ];
}

/**
 * Every sidecar as a pod with `fsGroup`, `readOnlyRootFilesystem` and no capability runs it, beside the Holdfast driver and an API
 * server.
 */
export async function checkLockedDown({ runtime, mounted, check, signal }: CheckLockedDownDeps): Promise<void> {
  const folder = makeTemporaryFolder('locked-down');
  const pod = join(folder.path, 'pod');
  const registration = join(folder.path, 'registration');
  for (const each of [pod, registration]) emptyDir(each);
  const cluster = await startSandboxCluster({ signal, controllers: 'none' });
  const kubeconfig = join(pod, 'kubeconfig');
  copyFileSync(cluster.adminKubeconfig, kubeconfig);
  chownSync(kubeconfig, 0, nobody);
  chmodSync(kubeconfig, 0o640);
  const socket = join(pod, 'csi.sock');
  const driver = await startProgram({
    label: 'holdfast-driver',
    file: process.execPath,
    args: [
      join(mounted('holdfast-driver'), 'usr/lib/holdfast/holdfast-driver.mjs'),
      `--backend=dir`,
      `--endpoint=unix://${socket}`,
      `--driver-name=${driverName}`,
      `--pool-dir=${join(folder.path, 'pool')}`,
    ],
    logFile: join(folder.path, 'driver.log'),
  });

  try {
    const look = (): true | undefined => (driver.log().includes('"Serving"') ? true : undefined);
    await waitUntil({ what: 'the driver', look, timeoutMs: 60_000, signal });
    const { mode, uid, gid } = statSync(socket);
    const permissions = `${(mode & 0o777).toString(8)} ${uid}:${gid}`;
    check("the driver's socket lets its group in, and nobody else", permissions === `660 0:${nobody}`, permissions);
    for (const { name, args, hasWorked } of await casesFor(cluster, registration)) {
      const program = runLockedDown({
        runtime,
        name,
        image: mounted(name),
        args,
        volumes: { '/pod': pod, '/registration': registration },
        folder: join(folder.path, name),
        signal,
      });
      try {
        await hasWorked(program);
        check(
          `${name} works as nobody, without capabilities, on a root that is read-only`,
          program.limits() === strictest,
          program.limits(),
        );
      } catch (error) {
        check(`${name} works as nobody, without capabilities, on a root that is read-only`, false, String(error));
      }
      const code = await program.stop();
      check(`${name} then ends when it is told to`, code === 0, program.log());
    }
  } finally {
    await driver.stop();
    await cluster.stop();
    folder.remove();
  }
}

/** As kubelet makes one for a pod with `fsGroup`: what is made in it is the group's. */
function emptyDir(path: string): void {
  mkdirSync(path);
  chownSync(path, 0, nobody);
  chmodSync(path, 0o2770);
}
