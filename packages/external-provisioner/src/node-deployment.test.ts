import { persistentVolumeClaims, persistentVolumes } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

const HOST = 'topology.example.com/host';
const flags = ['--node-deployment', '--node-deployment-base-delay=20ms', '--node-deployment-max-delay=50ms'];

let rig: Rig;
let availableCapacity: bigint;
beforeEach(async () => {
  availableCapacity = 10n * 1024n ** 3n;
  rig = await startRig({
    loops: true,
    env: { NODE_NAME: 'n1' },
    driver: {
      nodeId: 'n1',
      topology: { [HOST]: 'h1' },
      capabilities: {
        plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'],
        controller: ['CREATE_DELETE_VOLUME', 'GET_CAPACITY'],
      },
      handlers: {
        GetCapacity: async () => ({ availableCapacity, maximumVolumeSize: undefined, minimumVolumeSize: undefined }),
      },
    },
  });
  await rig.createClass();
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

async function selectedNode(name: string): Promise<string | undefined> {
  return (await rig.claim(name))?.metadata.annotations?.[annotations.selectedNode];
}

/** What the provisioner told of a claim; the loop that binds claims tells of its own. */
async function toldBy(name: string): Promise<string[]> {
  return (await rig.eventsOf(name)).filter((text) => !text.startsWith('Normal ExternalProvisioning'));
}

/** Serves a claim of its own, by which time everything before it has been looked at. */
async function afterAnother(): Promise<void> {
  await rig.createClaim('probe', { annotations: { [annotations.selectedNode]: 'n1' } });
  await eventually(async () => expect((await rig.claim('probe'))?.status?.phase).toBe('Bound'));
}

describe('on a node', () => {
  it('a claim of the node is served in its place, and one of another node is left alone', async () => {
    await rig.start(...flags);
    await rig.createClaim('theirs', { annotations: { [annotations.selectedNode]: 'n2' } });
    await afterAnother();
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
    const [volume] = await rig.volumes();
    expect(volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: HOST, operator: 'In', values: ['h1'] }] },
    ]);
    expect(await toldBy('theirs')).toEqual([]);
  });

  it('a claim that nobody chose a node for is taken when there is room', async () => {
    availableCapacity = 1n;
    await rig.start(...flags);
    await rig.createClaim('data');
    await eventually(() => expect(rig.driver.callsOf('GetCapacity').length).toBeGreaterThan(1));
    expect(await selectedNode('data')).toBeUndefined();
    expect(await toldBy('data')).toEqual([]);

    availableCapacity = 10n * 1024n ** 3n;
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    expect(await selectedNode('data')).toBe('n1');
    expect(rig.driver.callsOf('GetCapacity').at(-1)?.request).toMatchObject({
      accessibleTopology: { segments: { [HOST]: 'h1' } },
    });
  });

  it('a claim that another node was faster to take is left to it', async () => {
    let isRaced = false;
    rig.cluster.intercept(async ({ verb, resource, userAgent }) => {
      if (verb !== 'patch' || resource !== 'persistentvolumeclaims' || !userAgent.startsWith('csi-provisioner'))
        return undefined;
      if (isRaced) return undefined;
      isRaced = true;
      const body = { metadata: { annotations: { [annotations.selectedNode]: 'n2' } } };
      const ref = { name: 'data', namespace: 'default' };
      await rig.cluster.client.patch(persistentVolumeClaims, ref, { kind: 'merge', body });
      return undefined;
    });
    await rig.start(...flags);
    await rig.createClaim('data');
    await eventually(() => expect(isRaced).toBe(true));
    await afterAnother();
    expect(await selectedNode('data')).toBe('n2');
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });

  it('a claim is given back when there is no room after all, for any node to take', async () => {
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      throw rpcError('ResourceExhausted', 'full');
    });
    await rig.start(...flags);
    await rig.createClaim('data');
    await eventually(async () => expect((await rig.eventsOf('data')).join()).toContain('full'));
    removeHandler();
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
  });

  it('classes of other places, and all without a chosen node when that is switched off, are left alone', async () => {
    await rig.createClass({ allowedTopologies: [{ matchLabelExpressions: [{ key: HOST, values: ['h2'] }] }] });
    await rig.start(...flags);
    await rig.createClaim('data');
    await rig.createClass({ allowedTopologies: [{ matchLabelExpressions: [{ key: HOST, values: ['h1', 'h2'] }] }] });
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    await rig.stopController();
    await rig.start(...flags, '--node-deployment-immediate-binding=false');
    await rig.createClaim('free');
    await afterAnother();
    expect(await selectedNode('free')).toBeUndefined();
  });

  it('volumes of another node are not deleted', async () => {
    const released = (name: string, host: string) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'fast',
        claimRef: { name: 'gone', namespace: 'default', uid: `uid-${name}` },
        csi: { driver: rig.driver.name, volumeHandle: `vol-${name}` },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOST, operator: 'In', values: [host] }] }] },
        },
      },
    });
    await rig.start(...flags);
    await rig.cluster.apply(released('theirs', 'h2'));
    await rig.cluster.apply(released('ours', 'h1'));
    await eventually(async () => {
      const { items } = await rig.cluster.client.list(persistentVolumes);
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['theirs']);
    });
    expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1);
  });
});
