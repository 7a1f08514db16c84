import { type Event, events, persistentVolumes } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { Case, CaseStage } from '../case.ts';
import { failing } from './failing.ts';
import {
  claim,
  deleteBoth,
  deleteClaim,
  node,
  secret,
  storageClass,
  untilBound,
  untilClaim,
  untilVolumeGone,
} from './objects.ts';

const about = 'provisioner';
// For csi-provisioner to fill in.
const claimName = `\${pvc.name}`;
const claimNamespace = `\${pvc.namespace}`;
const selectedNode = 'volume.kubernetes.io/selected-node';
const secretParameters = Object.fromEntries(
  ['provisioner', 'controller-publish', 'node-stage', 'node-publish', 'controller-expand', 'node-expand'].flatMap(
    (use) => [
      [`csi.storage.k8s.io/${use}-secret-name`, `${use}-of-${claimName}`],
      [`csi.storage.k8s.io/${use}-secret-namespace`, claimNamespace],
    ],
  ),
);

function untilEvent(stage: CaseStage, reason: string): Promise<Event> {
  return stage.until(`event ${reason}`, async () => {
    const { items } = await stage.client.list(events);
    return items.find((event) => event.reason === reason && isHere(event, stage));
  });
}

function isHere({ involvedObject, message }: Event, { namespace }: CaseStage): boolean {
  return involvedObject.namespace === namespace || (message ?? '').includes(namespace);
}

export const provisionerCases: readonly Case[] = [
  {
    name: 'provision and delete',
    about,
    isShort: true,
    costs: {
      bound: { 'create persistentvolumes': 1, 'create events': 1 },
      deleted: {
        'create persistentvolumes': 1,
        'create events': 1,
        'patch persistentvolumes': 1,
        'delete persistentvolumes': 1,
      },
    },
    async play(stage) {
      await stage.apply(storageClass('plain') + claim('data', { className: 'plain', size: '1500M' }));
      const volume = await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteClaim(stage, 'data');
      await untilVolumeGone(stage, volume.metadata.name);
      await stage.record('deleted');
    },
  },
  {
    name: 'secrets, mount options and file system',
    about,
    async play(stage) {
      const parameters = { ...secretParameters, 'csi.storage.k8s.io/fstype': 'xfs', tier: 'fast' };
      await stage.apply(
        storageClass('full', { parameters, mountOptions: ['noatime', 'discard'] }) +
          secret('provisioner-of-data') +
          claim('data', { className: 'full' }),
      );
      await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
      await stage.record('deleted');
    },
  },
  {
    name: 'access modes and raw block',
    about,
    async play(stage) {
      await stage.apply(
        storageClass('modes') +
          claim('rwx', { className: 'modes', modes: ['ReadWriteMany'] }) +
          claim('rwop', { className: 'modes', modes: ['ReadWriteOncePod'] }) +
          claim('rox', { className: 'modes', modes: ['ReadOnlyMany', 'ReadWriteOnce'] }) +
          claim('block', { className: 'modes', isBlock: true }),
      );
      const names = ['rwx', 'rwop', 'rox', 'block'];
      for (const name of names) await untilBound(stage, name);
      stage.driver.calls.sort((a, b) => (capabilitiesOf(a.request) < capabilitiesOf(b.request) ? -1 : 1));
      await stage.record('bound');
      for (const name of names) await deleteBoth(stage, name);
    },
  },
  {
    name: 'delayed binding on three nodes',
    about,
    async play(stage) {
      await stage.apply(
        node('node-b', 'b') +
          node('node-c', 'c') +
          storageClass('delayed', { binding: 'WaitForFirstConsumer' }) +
          claim('data', { className: 'delayed', annotations: { [selectedNode]: 'node-b' } }),
      );
      await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'immediate binding of a set on three nodes',
    about,
    async play(stage) {
      const names = ['www-web-0', 'www-web-1', 'www-web-2', 'single'];
      await stage.apply(node('node-b', 'b') + node('node-c', 'c') + storageClass('spread'));
      for (const name of names) {
        await stage.apply(claim(name, { className: 'spread' }));
        await untilBound(stage, name);
      }
      await stage.record('bound');
      for (const name of names) await deleteBoth(stage, name);
    },
  },
  {
    name: 'allowed topologies',
    about,
    async play(stage) {
      await stage.apply(
        node('node-b', 'b') +
          storageClass('allowed', { zones: ['b', 'z'], binding: 'WaitForFirstConsumer' }) +
          claim('data', { className: 'allowed', annotations: { [selectedNode]: 'node-b' } }),
      );
      await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'reclaim policy Retain',
    about,
    async play(stage) {
      await stage.apply(storageClass('keep', { reclaim: 'Retain' }) + claim('data', { className: 'keep' }));
      const { metadata } = await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteClaim(stage, 'data');
      await stage.until('volume released', async () =>
        (await stage.look(persistentVolumes, metadata))?.status?.phase === 'Released' ? true : undefined,
      );
      await stage.record('released');
      await stage.client.delete(persistentVolumes, { name: metadata.name });
      await untilVolumeGone(stage, metadata.name);
      await stage.record('removed');
    },
  },
  {
    name: 'volume deleted before its claim',
    about,
    async play(stage) {
      await stage.apply(storageClass('early') + claim('data', { className: 'early' }));
      const { metadata } = await untilBound(stage, 'data');
      await stage.client.delete(persistentVolumes, { name: metadata.name });
      await stage.record('terminating');
      await deleteClaim(stage, 'data');
      await untilVolumeGone(stage, metadata.name);
      await stage.record('deleted');
    },
  },
  {
    name: 'CreateVolume fails twice',
    about,
    async play(stage) {
      failing(stage.driver, 'CreateVolume', 2, rpcError('Internal', 'disk on fire'));
      await stage.apply(storageClass('shaky') + claim('data', { className: 'shaky' }));
      await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'CreateVolume calls the claim impossible',
    about,
    isRetrying: true,
    async play(stage) {
      const restore = stage.driver.on('CreateVolume', async () => {
        throw rpcError('InvalidArgument', 'no such tier');
      });
      await stage.apply(storageClass('wrong') + claim('data', { className: 'wrong' }));
      await untilEvent(stage, 'ProvisioningFailed');
      await stage.record('refused');
      await deleteClaim(stage, 'data');
      restore();
    },
  },
  {
    name: 'no room at the selected node',
    about,
    async play(stage) {
      const fail = rpcError('ResourceExhausted', 'the pool of zone a is full');
      const restore = stage.driver.on('CreateVolume', async () => {
        throw fail;
      });
      await stage.apply(
        storageClass('full-zone', { binding: 'WaitForFirstConsumer' }) +
          claim('data', { className: 'full-zone', annotations: { [selectedNode]: 'node-a' } }),
      );
      await untilClaim(stage, 'data', 'given back to the scheduler', ({ metadata }) => {
        return metadata.annotations?.[selectedNode] === undefined;
      });
      await stage.record('given back');
      restore();
      await deleteClaim(stage, 'data');
    },
  },
  {
    name: 'a volume that is too small',
    about,
    isRetrying: true,
    async play(stage) {
      const restore = stage.driver.on('CreateVolume', async ({ name }) => ({
        volume: {
          volumeId: `vol-${name}`,
          capacityBytes: 4096n,
          volumeContext: {},
          contentSource: undefined,
          accessibleTopology: [],
        },
      }));
      await stage.apply(storageClass('small') + claim('data', { className: 'small' }));
      await untilEvent(stage, 'ProvisioningFailed');
      await stage.record('refused');
      restore();
      await untilBound(stage, 'data');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'an unknown reserved parameter',
    about,
    isRetrying: true,
    async play(stage) {
      const parameters = { 'csi.storage.k8s.io/flavour': 'x' };
      await stage.apply(storageClass('reserved', { parameters }) + claim('data', { className: 'reserved' }));
      await untilEvent(stage, 'ProvisioningFailed');
      await stage.record('refused');
      await deleteClaim(stage, 'data');
    },
  },
  {
    name: 'a secret that is missing',
    about,
    isRetrying: true,
    async play(stage) {
      const parameters = {
        'csi.storage.k8s.io/provisioner-secret-name': 'nowhere',
        'csi.storage.k8s.io/provisioner-secret-namespace': claimNamespace,
      };
      await stage.apply(storageClass('secretive', { parameters }) + claim('data', { className: 'secretive' }));
      await untilEvent(stage, 'ProvisioningFailed');
      await stage.record('refused');
      await stage.apply(secret('nowhere'));
      await untilBound(stage, 'data');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'a selector, and a data source of an unknown kind',
    about,
    isRetrying: true,
    async play(stage) {
      const dataSourceRef = { apiGroup: 'example.com', kind: 'Backup', name: 'b' };
      await stage.apply(
        storageClass('odd') +
          claim('selecting', { className: 'odd', spec: { selector: { matchLabels: { a: 'b' } } } }) +
          claim('populated', { className: 'odd', spec: { dataSourceRef } }),
      );
      await untilEvent(stage, 'ProvisioningFailed');
      await untilEvent(stage, 'Provisioning');
      await stage.record('refused');
      await deleteClaim(stage, 'selecting');
      await deleteClaim(stage, 'populated');
    },
  },
  {
    name: 'DeleteVolume fails twice',
    about,
    async play(stage) {
      await stage.apply(storageClass('sticky') + claim('data', { className: 'sticky' }));
      await untilBound(stage, 'data');
      failing(stage.driver, 'DeleteVolume', 2, rpcError('Internal', 'disk on fire'));
      await deleteBoth(stage, 'data');
      await stage.record('deleted');
    },
  },
];

function capabilitiesOf(request: unknown): string {
  return JSON.stringify(request, (key, value: unknown) =>
    key === 'name' || key.endsWith('uid') ? '' : typeof value === 'bigint' ? String(value) : value,
  ).replace(/^.*"volumeCapabilities"/, '');
}
