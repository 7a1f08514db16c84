import { csiNodes, persistentVolumes } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { Case, CaseStage } from '../case.ts';
import { failing } from './failing.ts';
import {
  attachment,
  type ClaimParts,
  claim,
  deleteBoth,
  detach,
  isAttached,
  node,
  secret,
  storageClass,
  untilAttachment,
  untilBound,
  untilCalled,
} from './objects.ts';

const about = 'attacher';

/** A bound volume and a node that has the driver. @returns the volume's name */
async function prepare(
  stage: CaseStage,
  parameters: Readonly<Record<string, string>> = {},
  parts: Partial<ClaimParts> = {},
): Promise<string> {
  await stage.apply(
    storageClass(stage.namespace, { parameters, mountOptions: ['noatime'] }) +
      claim('data', { className: stage.namespace, ...parts }),
  );
  return (await untilBound(stage, 'data')).metadata.name;
}

export const attacherCases: readonly Case[] = [
  {
    name: 'attach and detach',
    about,
    isShort: true,
    costs: {
      attached: { 'patch volumeattachments': 1, 'patch volumeattachments/status': 1 },
      detached: { 'patch volumeattachments': 2, 'patch volumeattachments/status': 1 },
    },
    async play(stage) {
      const volume = await prepare(stage);
      await stage.record('bound');
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.record('attached');
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
      await stage.record('deleted');
    },
  },
  {
    name: 'publish context, secrets, read-only',
    about,
    async play(stage) {
      const parameters = {
        'csi.storage.k8s.io/controller-publish-secret-name': 'publish',
        'csi.storage.k8s.io/controller-publish-secret-namespace': stage.namespace,
      };
      const restore = stage.driver.on('ControllerPublishVolume', async () => ({
        publishContext: { devicePath: '/dev/sdx', serial: '42' },
      }));
      await stage.apply(secret('publish'));
      const volume = await prepare(stage, parameters);
      // A volume's source cannot be changed: one made by hand may be read-only.
      const { spec } = await stage.client.get(persistentVolumes, { name: volume });
      await stage.apply(
        `\n---\n${JSON.stringify({
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: 'static-volume' },
          spec: {
            ...spec,
            persistentVolumeReclaimPolicy: 'Retain',
            storageClassName: 'none',
            accessModes: ['ReadOnlyMany'],
            claimRef: { namespace: stage.namespace, name: 'static' },
            csi: { ...spec?.csi, readOnly: true, fsType: null, volumeAttributes: { a: 'b' } },
          },
        })}`,
      );
      await stage.apply(
        attachment('swap-va', volume, 'node-a') + attachment('swap-va-static', 'static-volume', 'node-a'),
      );
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await untilAttachment(stage, 'swap-va-static', 'attached', isAttached);
      // Which of the two comes first nobody says.
      stage.driver.calls.sort((a, b) => (readonlyOf(a.request) < readonlyOf(b.request) ? -1 : 1));
      await stage.record('attached');
      await detach(stage, 'swap-va');
      await detach(stage, 'swap-va-static');
      restore();
      await stage.record('detached');
      await stage.client.delete(persistentVolumes, { name: 'static-volume' });
      await deleteBoth(stage, 'data');
      await stage.record('deleted');
    },
  },
  {
    name: 'raw block',
    about,
    async play(stage) {
      const volume = await prepare(stage, {}, { isBlock: true, modes: ['ReadWriteMany'] });
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.record('attached');
      await detach(stage, 'swap-va');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerPublishVolume fails twice',
    about,
    isShort: true,
    costs: { attached: { 'patch volumeattachments': 1, 'patch volumeattachments/status': 2 } },
    async play(stage) {
      const volume = await prepare(stage);
      failing(stage.driver, 'ControllerPublishVolume', 2, rpcError('Internal', 'disk on fire'));
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.record('attached');
      await detach(stage, 'swap-va');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerPublishVolume fails until the attachment is deleted',
    about,
    isRetrying: true,
    async play(stage) {
      const volume = await prepare(stage);
      const restore = stage.driver.on('ControllerPublishVolume', async () => {
        throw rpcError('ResourceExhausted', 'no slot left');
      });
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'failed', ({ status }) => status?.attachError !== undefined);
      await stage.record('failed');
      await detach(stage, 'swap-va');
      restore();
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerUnpublishVolume fails twice',
    about,
    async play(stage) {
      const volume = await prepare(stage);
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      failing(stage.driver, 'ControllerUnpublishVolume', 2, rpcError('Internal', 'disk on fire'));
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerUnpublishVolume goes on failing',
    about,
    isRetrying: true,
    async play(stage) {
      const volume = await prepare(stage);
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      const restore = stage.driver.on('ControllerUnpublishVolume', async () => {
        throw rpcError('Internal', 'disk on fire');
      });
      const gone = detach(stage, 'swap-va');
      await untilAttachment(stage, 'swap-va', 'failed', ({ status }) => status?.detachError !== undefined);
      await stage.record('failed');
      restore();
      await gone;
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'node gone before the detach',
    about,
    async play(stage) {
      const volume = await prepare(stage);
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.client.delete(csiNodes, { name: 'node-a' });
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'node that lacks the driver',
    about,
    isRetrying: true,
    async play(stage) {
      const volume = await prepare(stage);
      await stage.apply(attachment('swap-va', volume, 'node-without'));
      await untilAttachment(stage, 'swap-va', 'failed', ({ status }) => status?.attachError !== undefined);
      await stage.record('failed');
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'volume deleted while attached',
    about,
    async play(stage) {
      const volume = await prepare(stage);
      await stage.apply(attachment('swap-va', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.client.delete(persistentVolumes, { name: volume });
      await stage.record('terminating');
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'two nodes and one volume',
    about,
    async play(stage) {
      const volume = await prepare(stage, {}, { modes: ['ReadWriteMany'] });
      await stage.apply(node('node-b', 'a') + attachment('swap-va-a', volume, 'node-a'));
      await untilAttachment(stage, 'swap-va-a', 'attached', isAttached);
      await stage.apply(attachment('swap-va-b', volume, 'node-b'));
      await untilAttachment(stage, 'swap-va-b', 'attached', isAttached);
      await stage.record('attached');
      await detach(stage, 'swap-va-a');
      await stage.record('one detached');
      await detach(stage, 'swap-va-b');
      await untilCalled(stage, 'ControllerUnpublishVolume', 2);
      await stage.record('detached');
      await deleteBoth(stage, 'data');
    },
  },
];

function readonlyOf(request: unknown): string {
  return typeof request === 'object' && request !== null && 'readonly' in request ? String(request.readonly) : '';
}
