import { join } from 'node:path';
import { findInstallation } from '../installation.ts';
import type { ProgramSpec } from './supervisor.ts';

/** What can be killed and comes back, as a container would: everything but the API server, which keeps its objects in memory. */
export const programs = [
  'driver',
  'provisioner',
  'attacher',
  'resizer',
  'registrar',
  'livenessprobe',
  'kubelet',
] as const;
export type Program = (typeof programs)[number];

export type Backend = 'disk' | 'dir';

export interface Places {
  /** The demo's own folder; everything it makes is below it. */
  work: string;
  kubeconfig: string;
  kubeletRoot: string;
  auditLog: string;
}

export const nodeName = 'demo-node';

export function placesIn(work: string): Places {
  return {
    work,
    kubeconfig: join(work, 'kubeconfig'),
    kubeletRoot: join(work, 'kubelet'),
    auditLog: join(work, 'audit.log'),
  };
}

export function driverName(backend: Backend): string {
  return `${backend}.csi.holdfast`;
}

export function poolDir(places: Places, backend: Backend): string {
  return join(places.work, 'pool', backend);
}

function bundle(packageName: string, program: string): string {
  const { programsDir, root } = findInstallation();
  return join(programsDir ?? join(root, 'packages', packageName, 'dist'), `${program}.mjs`);
}

export function apiServer(places: Places): ProgramSpec {
  return {
    name: 'sandbox',
    file: bundle('sandbox', 'holdfast-sandbox'),
    args: ['apiserver', '--port=0', `--kubeconfig-out=${places.kubeconfig}`, `--audit-log-path=${places.auditLog}`],
    isRestarted: false,
  };
}

export function kubelet(places: Places): ProgramSpec {
  return {
    name: 'kubelet',
    file: bundle('sandbox', 'holdfast-sandbox'),
    args: [
      'kubelet',
      `--kubeconfig=${places.kubeconfig}`,
      `--node-name=${nodeName}`,
      `--root-dir=${places.kubeletRoot}`,
      '--cleanup-on-exit',
    ],
    isRestarted: true,
  };
}

/** The driver and its sidecars, as a controller pod and a node pod would hold them. `dir` needs no attacher. */
export function stack(places: Places, backend: Backend, healthAddress: string): ProgramSpec[] {
  const socket = join(places.kubeletRoot, 'plugins', driverName(backend), 'csi.sock');
  const sidecar = [`--csi-address=${socket}`, `--kubeconfig=${places.kubeconfig}`, '--v=5'];
  const specs: (ProgramSpec | undefined)[] = [
    {
      name: 'driver',
      file: bundle('driver', 'holdfast-driver'),
      args: [
        `--backend=${backend}`,
        `--endpoint=unix://${socket}`,
        '--role=all',
        `--node-id=${nodeName}`,
        `--pool-dir=${poolDir(places, backend)}`,
        '--v=5',
      ],
      isRestarted: true,
    },
    {
      name: 'provisioner',
      file: bundle('external-provisioner', 'csi-provisioner'),
      args: [...sidecar, '--feature-gates=Topology=true'],
      isRestarted: true,
    },
    backend === 'disk'
      ? { name: 'attacher', file: bundle('external-attacher', 'csi-attacher'), args: sidecar, isRestarted: true }
      : undefined,
    { name: 'resizer', file: bundle('external-resizer', 'csi-resizer'), args: sidecar, isRestarted: true },
    {
      name: 'registrar',
      file: bundle('node-driver-registrar', 'csi-node-driver-registrar'),
      args: [
        `--csi-address=${socket}`,
        `--kubelet-registration-path=${socket}`,
        `--plugin-registration-path=${join(places.kubeletRoot, 'plugins_registry')}`,
        '--v=5',
      ],
      isRestarted: true,
    },
    {
      name: 'livenessprobe',
      file: bundle('livenessprobe', 'livenessprobe'),
      args: [`--csi-address=${socket}`, `--http-endpoint=${healthAddress}`],
      isRestarted: true,
    },
  ];
  return specs.filter((spec) => spec !== undefined).map((spec) => ({ ...spec, label: `${backend} ${spec.name}` }));
}
