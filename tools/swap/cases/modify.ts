// Claims that ask for another VolumeAttributesClass.
import { persistentVolumeClaims } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { Case, CaseStage } from '../case.ts';
import { failing } from './failing.ts';
import { attributesClass, claim, deleteBoth, storageClass, untilBound, untilClaim } from './objects.ts';

const about = 'resizer';

/** A bound claim, and the classes `gold` and `silver`. */
async function prepare(stage: CaseStage): Promise<void> {
  const { namespace } = stage;
  await stage.apply(storageClass(namespace) + attributesClass('gold', '9000') + attributesClass('silver', '500'));
  await stage.apply(claim('data', { className: namespace }));
  await untilBound(stage, 'data');
}

async function ask(stage: CaseStage, name: string | null): Promise<void> {
  const ref = { namespace: stage.namespace, name: 'data' };
  const body = { spec: { volumeAttributesClassName: name } };
  await stage.client.patch(persistentVolumeClaims, ref, { kind: 'merge', body });
}

const untilModified = (stage: CaseStage, name: string) =>
  untilClaim(stage, 'data', `has ${name}`, ({ status }) => status?.currentVolumeAttributesClassName === name);

const untilStatus = (stage: CaseStage, state: string) =>
  untilClaim(stage, 'data', state, ({ status }) => status?.modifyVolumeStatus?.status === state);

function modifiable(stage: CaseStage): void {
  stage.driver.on('ControllerModifyVolume', async () => ({}));
}

export const modifyCases: readonly Case[] = [
  {
    name: 'another class, and one more',
    about,
    isShort: true,
    async play(stage) {
      await prepare(stage);
      modifiable(stage);
      await ask(stage, 'gold');
      await untilModified(stage, 'gold');
      await stage.record('gold');
      await ask(stage, 'silver');
      await untilModified(stage, 'silver');
      await stage.record('silver');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerModifyVolume fails twice',
    about,
    async play(stage) {
      await prepare(stage);
      modifiable(stage);
      failing(stage.driver, 'ControllerModifyVolume', 2, rpcError('Internal', 'disk on fire'));
      await ask(stage, 'gold');
      await untilModified(stage, 'gold');
      await stage.record('gold');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerModifyVolume times out, and another class is asked for',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      const restore = stage.driver.on('ControllerModifyVolume', async () => {
        throw rpcError('DeadlineExceeded', 'still turning');
      });
      await ask(stage, 'gold');
      await untilClaim(stage, 'data', 'ModifyVolumeError', ({ status }) =>
        (status?.conditions ?? []).some(({ type }) => type === 'ModifyVolumeError'),
      );
      await ask(stage, 'silver');
      await stage.record('under way');
      restore();
      modifiable(stage);
      await untilModified(stage, 'silver');
      await stage.record('silver');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'a class that cannot be, given up',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      stage.driver.on('ControllerModifyVolume', async () => {
        throw rpcError('InvalidArgument', 'too fast');
      });
      await ask(stage, 'gold');
      await untilStatus(stage, 'Infeasible');
      await stage.record('refused');
      await ask(stage, null);
      await untilClaim(stage, 'data', 'no longer modifying', ({ status }) =>
        (status?.conditions ?? []).every(({ type }) => type !== 'ModifyingVolume'),
      );
      await stage.record('given up');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'a class that does not exist, then one that does',
    about,
    async play(stage) {
      await prepare(stage);
      modifiable(stage);
      await ask(stage, 'bronze');
      await untilStatus(stage, 'Pending');
      await stage.record('pending');
      await ask(stage, 'gold');
      await untilModified(stage, 'gold');
      await stage.record('gold');
      await deleteBoth(stage, 'data');
    },
  },
];
