import { join } from 'node:path';
import { buildReference } from '../reference/build.ts';
import { allowUpstream, prepareCluster, removeObjects } from './cluster-objects.ts';
import type { Cluster, Program, Rig, RigNode, RigOptions, SidecarName, SidecarOptions } from './contract.ts';
import { addCustomKinds } from './custom-kinds.ts';
import { parseDriverCalls } from './driver-calls.ts';
import { type DriverFront, openDriverFront } from './driver-front.ts';
import { startKubernetesCluster } from './kubernetes-cluster.ts';
import { asLastResort } from './last-resort.ts';
import { findLeft, takeAway } from './left-behind.ts';
import { programsOf, startRigNode } from './nodes.ts';
import { lastLines, startProgram } from './program.ts';
import {
  accountOf,
  controllerDriver,
  controllerSocket,
  driverNameOf,
  frontSocket,
  type Places,
  programOfSidecar,
  sidecar,
  sidecarLabel,
  systemNamespace,
} from './programs.ts';
import { startSandboxCluster } from './sandbox-cluster.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/**
 * A cluster with nodes, the driver and its sidecars, each a process of its own, in a mount namespace that the caller has made
 * (mount-namespace.ts). `signal` ends the start and every wait; `stop` is still the caller's to call.
 * @throws Error when something does not come up; everything has been ended then
 */
export async function startRig(options: RigOptions, signal: AbortSignal): Promise<Rig> {
  const isOwnCluster = typeof options.cluster === 'string';
  const cluster = await clusterOf(options, signal);
  const rig = createRig({ options, cluster, isOwnCluster, signal });
  try {
    await rig.start();
  } catch (error) {
    const tails = rig.logTails(5);
    await rig.stop();
    if (error instanceof Error) error.message += `\n${tails}`;
    throw error;
  }
  return rig;
}

function clusterOf({ cluster }: RigOptions, signal: AbortSignal): Promise<Cluster> {
  if (typeof cluster !== 'string') return Promise.resolve(cluster);
  return cluster === 'sandbox' ? startSandboxCluster({ signal }) : startKubernetesCluster({ signal });
}

const defaultSidecars: Readonly<Record<RigOptions['backend'], readonly SidecarName[]>> = {
  disk: ['provisioner', 'attacher', 'resizer'],
  // Nothing is attached.
  dir: ['provisioner', 'resizer'],
};

function createRig(deps: {
  readonly options: RigOptions;
  readonly cluster: Cluster;
  readonly isOwnCluster: boolean;
  readonly signal: AbortSignal;
}): Rig & { start(): Promise<void> } {
  const { options, cluster, isOwnCluster, signal } = deps;
  const { backend, maxVolumesPerNode = 0 } = options;
  const folder = makeTemporaryFolder('rig');
  const forget = asLastResort(() => takeAway(folder.path));
  const places: Places = {
    folder: folder.path,
    backend,
    adminKubeconfig: cluster.adminKubeconfig,
    maxVolumesPerNode,
    isFronted: options.isFronted ?? false,
    isPerNode: options.isPerNode ?? false,
  };
  const sidecars = new Map<string, Program>();
  const rigNodes = new Map<string, RigNode>();
  let driver: Program | undefined;
  let front: DriverFront | undefined;
  let isUpstreamAllowed = false;

  function running(): Program {
    if (driver === undefined) throw new Error('the rig has not been started');
    return driver;
  }

  async function startSidecar(name: SidecarName, chosen: SidecarOptions = {}): Promise<Program> {
    const { maker = options.makers?.[name] ?? 'ours', replica, node, env = {} } = chosen;
    const args = [...(options.sidecarArgs?.[name] ?? []), ...(chosen.args ?? [])];
    const label = sidecarLabel({ name, replica });
    if (sidecars.get(label)?.isRunning() === true) throw new Error(`${label} is running already`);
    if (maker === 'upstream' && !isUpstreamAllowed) {
      await needReference(name, signal);
      await allowUpstream(cluster);
      isUpstreamAllowed = true;
    }
    const kubeconfig = await cluster.serviceAccountKubeconfig(systemNamespace, accountOf(name, maker));
    const leaderElection = options.leaderElection ?? false;
    const spec = { name, maker, replica, node, args, env, kubeconfig, leaderElection };
    const program = await startProgram(sidecar(places, spec));
    sidecars.set(label, program);
    return program;
  }

  function nodeOf(name: string): RigNode {
    const found = rigNodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}; there are: ${[...rigNodes.keys()].join(', ')}`);
    return found;
  }

  const startNode: Rig['startNode'] = (spec) =>
    startRigNode({
      places,
      spec,
      client: cluster.client,
      onStart: (node) => rigNodes.set(spec.name, node),
      signal,
    });

  const allPrograms = (): Program[] => [
    ...sidecars.values(),
    ...[...rigNodes.values()].flatMap(programsOf),
    ...(driver === undefined ? [] : [driver]),
  ];

  return {
    cluster,
    driverName: driverNameOf(backend),
    driverSocket: controllerSocket(places),
    folder: folder.path,
    get controllerDriver() {
      return running();
    },
    sidecars,
    get front() {
      if (front === undefined) throw new Error('the rig has no front: start it with isFronted');
      return front;
    },
    startSidecar,
    node: nodeOf,
    startNode,
    nodeDriverCalls: (name) => parseDriverCalls(nodeOf(name).driver.log()),
    driverCalls: () => parseDriverCalls(running().log()),
    logTails: (lines) =>
      allPrograms()
        .map(
          (program) =>
            `── ${program.label}${program.isRunning() ? '' : ' (ended)'}\n${lastLines(program.log(), lines)}`,
        )
        .join('\n'),
    async start() {
      await prepareCluster(cluster, backend);
      await addCustomKinds(cluster, signal);
      driver = await startProgram(controllerDriver(places));
      if (places.isFronted) {
        const sockets = { socketPath: frontSocket(places), driverSocket: controllerSocket(places) };
        front = await openDriverFront({ ...sockets, signal });
      }
      await Promise.all(options.nodes.map(startNode));
      for (const name of options.sidecars ?? defaultSidecars[backend]) await startSidecar(name);
    },
    async stop() {
      const nodesOfRig = [...rigNodes.values()];
      // Who asks before who answers.
      await stopTogether([...sidecars.values(), ...nodesOfRig.map(({ registrar }) => registrar)]);
      await front?.stop();
      await stopTogether(nodesOfRig.map(({ kubelet }) => kubelet));
      await stopTogether([...nodesOfRig.map((node) => node.driver), ...(driver === undefined ? [] : [driver])]);
      const left = findLeft(folder.path);
      takeAway(folder.path);
      if (isOwnCluster) await cluster.stop();
      else await removeObjects(cluster.client, backend, [...rigNodes.keys()]);
      forget();
      folder.remove();
      return left;
    },
  };
}

async function stopTogether(programs: readonly Program[]): Promise<void> {
  await Promise.all(programs.map((program) => program.stop()));
}

async function needReference(name: SidecarName, signal: AbortSignal): Promise<void> {
  const program = programOfSidecar(name);
  const say = (line: string): void => {
    if (!line.startsWith('already built')) process.stderr.write(`reference: ${line}\n`);
  };
  const { failed } = await buildReference([program], { say, signal });
  if (failed.length > 0) throw new Error(`${program} could not be built; run \`npm run reference -- ${program}\``);
}

/** Where a rig's logs are, for people. */
export function logFolder({ folder }: Rig): string {
  return join(folder, 'logs');
}
