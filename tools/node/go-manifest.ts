// An existing manifest with the Go attacher, in which nothing changes but the image.
import { version } from '@holdfast/sidecar';
import { stringify } from 'yaml';
import type { Check } from './checks.ts';
import { claim, pod } from './manifests.ts';
import { driverArgs, namespace, upgrade } from './release.ts';
import { goAttacherImage } from './test-images.ts';

export const swapCheck: Check = {
  name: 'the manifest of the Go attacher, with only the image changed',
  async run(world) {
    const { apply, kubectl, untilRunning, remove } = world;
    const attach = async (name: string): Promise<void> => {
      await apply(pod(name, 'data'));
      await untilRunning(name);
      await remove(`pod/${name}`);
      await world.until('the volume to be detached', async () =>
        (await kubectl('get', 'volumeattachments', '-o', 'name')) === '' ? true : undefined,
      );
    };
    const rollOut = () => kubectl('rollout', 'status', 'deployment/go-attacher', '-n', namespace, '--timeout=170s');
    await upgrade(world, 'attacher.enabled=false');
    await apply(claim('data', { className: 'ext4', size: '64Mi' }));
    await apply(manifest(world.scratch));
    await rollOut();
    await attach('with-theirs');
    const ours = `csi-attacher=localhost/holdfast/csi-attacher:${version}`;
    await kubectl('set', 'image', 'deployment/go-attacher', ours, '-n', namespace);
    await rollOut();
    await attach('with-ours');
    await kubectl('set', 'image', 'deployment/go-attacher', `csi-attacher=${goAttacherImage}`, '-n', namespace);
    await rollOut();
    await attach('with-theirs-again');
    await kubectl('delete', 'deployment/go-attacher', '-n', namespace, '--wait');
    await upgrade(world);
    await remove('pvc/data');
  },
};

/** As a driver's maintainers would have written it for the Go program, with upstream's own rules (external-attacher v4.13). */
function manifest(scratch: string): string {
  const metadata = { name: 'go-attacher', namespace };
  const role = {
    rules: [
      { apiGroups: [''], resources: ['persistentvolumes'], verbs: ['get', 'list', 'watch', 'patch'] },
      { apiGroups: ['storage.k8s.io'], resources: ['csinodes'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['storage.k8s.io'], resources: ['volumeattachments'], verbs: ['get', 'list', 'watch', 'patch'] },
      { apiGroups: ['storage.k8s.io'], resources: ['volumeattachments/status'], verbs: ['patch'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        verbs: ['get', 'watch', 'list', 'delete', 'update', 'create'],
      },
    ],
  };
  const rbac = 'rbac.authorization.k8s.io';
  const socket = { name: 'socket-dir', mountPath: '/csi' };
  const pool = { name: 'pool', mountPath: `${scratch}/pool` };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'go-attacher' }, ...role },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'go-attacher' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'go-attacher' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        minReadySeconds: 5,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: { app: 'go-attacher' } },
        template: {
          metadata: { labels: { app: 'go-attacher' } },
          spec: {
            serviceAccountName: 'go-attacher',
            containers: [
              {
                name: 'driver',
                image: `localhost/holdfast/holdfast-driver:${version}`,
                args: [...driverArgs(scratch), '--role=controller', '--endpoint=unix:///csi/csi.sock'],
                volumeMounts: [socket, pool],
              },
              {
                name: 'csi-attacher',
                image: goAttacherImage,
                args: ['--v=5', '--csi-address=$(ADDRESS)', '--leader-election', '--timeout=15s'],
                env: [{ name: 'ADDRESS', value: '/csi/csi.sock' }],
                volumeMounts: [socket],
              },
            ],
            volumes: [
              { name: 'socket-dir', emptyDir: {} },
              { name: 'pool', hostPath: { path: `${scratch}/pool` } },
            ],
          },
        },
      },
    },
  ]
    .map((object) => stringify(object))
    .join('---\n');
}
