import { join } from 'node:path';
import { csiNodes, events, persistentVolumeClaims, volumeAttachments } from '@holdfast/kube';
import { startScriptedDriver, startTestCluster } from '@holdfast/sandbox/testing';
import { spawnProgram } from '@holdfast/sidecar/testing';
import { expect, it, onTestFinished, vi } from 'vitest';

const DRIVER = 'idle.csi.holdfast';
const claimRef = { name: 'data', namespace: 'default' };
const soon = { timeout: 30_000, interval: 50 };

// Every look-again that a flag sets comes many times while the test watches.
const sidecars = {
  'csi-provisioner': { folder: 'external-provisioner', flags: [] },
  'csi-attacher': { folder: 'external-attacher', flags: ['--resync=20ms', '--reconcile-sync=20ms'] },
  'csi-resizer': { folder: 'external-resizer', flags: ['--resync-period=20ms'] },
};
const names = Object.keys(sidecars);

async function startCluster() {
  const cluster = await startTestCluster({ loops: true });
  onTestFinished(() => cluster.stop());
  await cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: plain }
provisioner: ${DRIVER}
allowVolumeExpansion: true
`);
  await cluster.client.create(csiNodes, {
    metadata: { name: 'node-a' },
    spec: { drivers: [{ name: DRIVER, nodeID: 'node-a', topologyKeys: [] }] },
  });
  return cluster;
}

async function startDriver() {
  const driver = await startScriptedDriver({
    name: DRIVER,
    capabilities: {
      plugin: ['CONTROLLER_SERVICE', 'EXPANSION_ONLINE'],
      controller: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'EXPAND_VOLUME'],
    },
  });
  onTestFinished(() => driver.stop());
  return driver;
}

/** Starts a sidecar as its own process, and ends it before its driver and its API server go. */
function startSidecar(folder: string, args: readonly string[]): void {
  const program = spawnProgram(join(import.meta.dirname, '..', '..', folder, 'src', 'bin.ts'), args, {
    KUBECONFIG: '',
  });
  onTestFinished(async () => {
    program.kill('SIGTERM');
    expect(await program.exitCode, program.stderr()).toBe(0);
  });
}

it('asks nothing and writes nothing but its lease while there is nothing to do', async () => {
  const cluster = await startCluster();
  const { client, requests } = cluster;
  const { socketPath } = await startDriver();
  const election = ['--leader-election', '--leader-election-namespace=default', '--leader-election-retry-period=100ms'];
  for (const { folder, flags } of Object.values(sidecars)) {
    startSidecar(folder, [
      `--csi-address=${socketPath}`,
      `--kubeconfig=${cluster.kubeconfigPath}`,
      ...election,
      ...flags,
    ]);
  }
  // Work for each of them first: an idle sidecar has objects to look at again.
  await client.create(persistentVolumeClaims, {
    metadata: claimRef,
    spec: { storageClassName: 'plain', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  const bound = await vi.waitFor(async () => {
    const claim = await client.get(persistentVolumeClaims, claimRef);
    expect(claim.status?.phase).toBe('Bound');
    return claim;
  }, soon);
  await client.create(volumeAttachments, {
    metadata: { name: 'attachment' },
    spec: { attacher: DRIVER, nodeName: 'node-a', source: { persistentVolumeName: bound.spec?.volumeName ?? '' } },
  });
  // The file system is the node's to grow, and no kubelet runs here: the sidecar has done its part.
  const body = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
  await vi.waitFor(async () => {
    expect((await client.get(volumeAttachments, { name: 'attachment' })).status?.attached).toBe(true);
    const reasons = (await client.list(events, { namespace: 'default' })).items.map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['ProvisioningSucceeded', 'FileSystemResizeRequired']));
    expect(reasons.filter((reason) => reason === 'LeaderElection')).toHaveLength(names.length);
  }, soon);

  requests.length = 0;
  const seen = () => {
    const bySidecar = new Map(names.map((name) => [name, [] as string[]]));
    for (const { userAgent, verb, resource } of requests) {
      bySidecar.get(userAgent.split('/', 1).join(''))?.push(`${verb} ${resource}`);
    }
    return bySidecar;
  };
  await vi.waitFor(() => {
    for (const each of seen().values()) expect(each.length).toBeGreaterThan(5);
  }, soon);
  for (const [name, each] of seen()) expect([name, ...new Set(each)]).toEqual([name, 'update leases']);
}, 90_000);
