import { csiNodes, nodes, persistentVolumeClaims } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

const ZONE = 'topology.example.com/zone';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({
    driver: {
      capabilities: {
        plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'],
        controller: ['CREATE_DELETE_VOLUME'],
      },
    },
  });
  await rig.createClass({ volumeBindingMode: 'WaitForFirstConsumer' });
  for (const number of [1, 2, 3]) await addNode(`n${number}`, `z${number}`);
});
afterEach(() => rig.stop());

async function addNode(name: string, zone: string): Promise<void> {
  await rig.cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { [ZONE]: zone } } });
  const drivers = [{ name: rig.driver.name, nodeID: name, topologyKeys: [ZONE] }];
  await rig.cluster.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers } });
}

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

async function select(name: string, node: string): Promise<void> {
  const body = { metadata: { annotations: { [annotations.selectedNode]: node } } };
  await rig.cluster.client.patch(persistentVolumeClaims, { name, namespace: 'default' }, { kind: 'merge', body });
}

async function selectedNode(name: string): Promise<string | undefined> {
  return (await rig.claim(name))?.metadata.annotations?.[annotations.selectedNode];
}

function places(...zones: string[]): { segments: Record<string, string> }[] {
  return zones.map((zone) => ({ segments: { [ZONE]: zone } }));
}

function requirements(): unknown[] {
  return rig.driver
    .callsOf('CreateVolume')
    .map(({ request }) =>
      typeof request === 'object' && request !== null && 'accessibilityRequirements' in request
        ? request.accessibilityRequirements
        : undefined,
    );
}

describe('WaitForFirstConsumer', () => {
  it('waits for the scheduler, then prefers its node, and binds the volume to the place', async () => {
    await rig.start();
    const claim = await rig.createClaim('data');
    const other = await rig.createClaim('other', { annotations: { [annotations.selectedNode]: 'n1' } });
    await eventually(async () => expect(await rig.volume(`pvc-${other.metadata.uid}`)).toBeDefined());
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);

    await select('data', 'n2');
    await eventually(async () => {
      const volume = await rig.volume(`pvc-${claim.metadata.uid}`);
      expect(volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms).toEqual([
        { matchExpressions: [{ key: ZONE, operator: 'In', values: ['z2'] }] },
      ]);
    });
    expect(requirements()[1]).toEqual({ requisite: places('z1', 'z2', 'z3'), preferred: places('z2', 'z3', 'z1') });
  });

  it('asks for the selected node alone with --strict-topology', async () => {
    await rig.start('--strict-topology');
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n2' } });
    await eventually(() => expect(requirements()).toEqual([{ requisite: places('z2'), preferred: places('z2') }]));
  });

  it('repeats the same places while the driver is at it, even when nodes and the choice change', async () => {
    const called = Promise.withResolvers<void>();
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      called.resolve();
      throw rpcError('Aborted', 'at it');
    });
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n2' } });
    await called.promise;
    await rig.cluster.client.delete(nodes, { name: 'n3' });
    await rig.cluster.client.delete(csiNodes, { name: 'n2' });
    await select('data', 'n1');
    const before = rig.driver.callsOf('CreateVolume').length;
    await eventually(() => expect(rig.driver.callsOf('CreateVolume').length).toBeGreaterThan(before + 1));
    removeHandler();
    await eventually(async () => expect((await rig.eventsOf('data')).join()).toContain('Succeeded'));
    expect(new Set(requirements().map((each) => JSON.stringify(each))).size).toBe(1);
  });

  it('sees nodes that come while it runs', async () => {
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n1' } });
    await eventually(() => expect(requirements()).toHaveLength(1));
    await addNode('n4', 'z4');
    await rig.createClaim('next', { annotations: { [annotations.selectedNode]: 'n4' } });
    await eventually(() => {
      expect(requirements().at(-1)).toEqual({
        requisite: places('z1', 'z2', 'z3', 'z4'),
        preferred: places('z4', 'z1', 'z2', 'z3'),
      });
    });
  });

  it('takes the choice back when there is no room on the node, and serves the next choice', async () => {
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      throw rpcError('ResourceExhausted', 'pool full');
    });
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n1' } });
    await eventually(async () => expect(await selectedNode('data')).toBeUndefined());
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
    await eventually(async () => {
      expect((await rig.eventsOf('data')).join()).toContain('desc = pool full; asking the scheduler for another node');
    });
    removeHandler();
    await select('data', 'n2');
    await eventually(async () => expect((await rig.eventsOf('data')).join('\n')).toContain('Succeeded'));
    expect(requirements()[1]).toMatchObject({ preferred: [places('z2')[0], {}, {}] });
  });

  it('takes the choice back when the node has gone', async () => {
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n9' } });
    await eventually(async () => expect(await selectedNode('data')).toBeUndefined());
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
  });

  it('does not undo a newer choice', async () => {
    let isRaced = false;
    rig.cluster.intercept(async ({ verb, resource, userAgent }) => {
      if (
        verb !== 'patch' ||
        resource !== 'persistentvolumeclaims' ||
        !userAgent.startsWith('csi-provisioner') ||
        isRaced
      )
        return undefined;
      isRaced = true;
      await select('data', 'n3');
      return undefined;
    });
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n9' } });
    await eventually(async () => expect((await rig.eventsOf('data')).join('\n')).toContain('Succeeded'));
    expect(isRaced).toBe(true);
    expect(await selectedNode('data')).toBe('n3');
  });

  it('uses update where the role grants no patch, as the Go sidecar’s does', async () => {
    rig.cluster.intercept(({ verb, resource, userAgent }) =>
      verb === 'patch' && resource === 'persistentvolumeclaims' && userAgent.startsWith('csi-provisioner')
        ? { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' } }
        : undefined,
    );
    await rig.start();
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n9', keep: 'me' } });
    await eventually(async () => expect(await selectedNode('data')).toBeUndefined());
    expect((await rig.claim('data'))?.metadata.annotations).toMatchObject({ keep: 'me' });
  });
});

describe('Immediate binding', () => {
  it('spreads the claims of a StatefulSet over the zones', async () => {
    await rig.createClass({ volumeBindingMode: 'Immediate' });
    await rig.start();
    for (const ordinal of [0, 1, 2]) await rig.createClaim(`data-web-${ordinal}`);
    await eventually(async () => expect(await rig.volumes()).toHaveLength(3));
    const zones = (await rig.volumes()).map(
      ({ spec }) => spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.[0],
    );
    expect(new Set(zones)).toEqual(new Set(['z1', 'z2', 'z3']));
  });

  it('tells when no node has the driver, and goes on when one has', async () => {
    for (const name of ['n1', 'n2', 'n3']) await rig.cluster.client.delete(csiNodes, { name });
    await rig.createClass({ volumeBindingMode: 'Immediate' });
    await rig.start();
    await rig.createClaim('data');
    await eventually(async () =>
      expect((await rig.eventsOf('data')).join()).toContain('no node offers the topology keys'),
    );
    await addNode('n1', 'z1');
    await eventually(async () => expect((await rig.eventsOf('data')).join('\n')).toContain('Succeeded'));
  });
});
