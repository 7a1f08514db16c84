import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from '../rig/contract.ts';
import { lastLines, startProgram } from '../rig/program.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { cniFolder } from './requirements.ts';

const run = promisify(execFile);

export interface ContainerRuntime {
  readonly socket: string;
  readonly program: Program;
  /** From an archive, as `buildah push … oci-archive:` or `docker-archive:` writes it. */
  importImage(archive: string): Promise<void>;
}

export const pauseImage = 'localhost/holdfast/pause:test';

/** containerd, with everything it keeps below the scratch folder, and a bridge for the pods. */
export async function startContainerRuntime(scratch: string, signal: AbortSignal): Promise<ContainerRuntime> {
  const folder = join(scratch, 'containerd');
  const network = join(folder, 'cni');
  mkdirSync(network, { recursive: true });
  const socket = '/run/containerd.sock';
  const config = join(folder, 'config.toml');
  writeFileSync(config, configuration(folder, network, socket));
  writeFileSync(join(network, '10-bridge.conflist'), JSON.stringify(bridge(folder)));
  const program = await startProgram({
    label: 'containerd',
    file: 'containerd',
    args: ['--config', config],
    logFile: join(scratch, 'logs', 'containerd.log'),
  });
  const ctr = (...args: string[]) => run('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args], { signal });
  await waitUntil({
    what: 'containerd to answer',
    look: async () => {
      if (!program.isRunning()) throw new Error(`containerd ended:\n${lastLines(program.log(), 20)}`);
      return ctr('version').then(
        () => true,
        () => undefined,
      );
    },
    timeoutMs: 60_000,
    signal,
  });
  return {
    socket,
    program,
    async importImage(archive) {
      await ctr('images', 'import', '--no-unpack', archive);
    },
  };
}

function configuration(folder: string, network: string, socket: string): string {
  return `version = 2
root = "${folder}/root"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE no process may lower its score, and runc dies of trying.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniFolder}"
    conf_dir = "${network}"
`;
}

/** Pods reach the node's addresses over it, and nothing beyond: the network namespace has no other way out. */
function bridge(folder: string): object {
  return {
    cniVersion: '0.4.0',
    name: 'holdfast',
    plugins: [
      {
        type: 'bridge',
        bridge: 'holdfast0',
        isGateway: true,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'addresses'),
          ranges: [[{ subnet: '10.88.0.0/16' }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}
