// A volume of an in-tree plug-in from its claim to its end, beside the driver that took the plug-in's place.
import type { SidecarName } from '../../rig/contract.ts';
import type { Case } from '../case.ts';
import {
  attachment,
  claim,
  deleteBoth,
  detach,
  isAttached,
  storageClass,
  untilAttachment,
  untilBound,
  untilClaim,
} from './objects.ts';

const provisioner = 'kubernetes.io/cinder';

export function inTreeCase(about: SidecarName): Case {
  return {
    name: `in-tree volume, ${about}`,
    about,
    driverName: 'cinder.csi.openstack.org',
    isShort: true,
    async play(stage) {
      const className = stage.namespace;
      const sized = (size: string): string => claim('data', { className, size });
      stage.driver.on('ControllerExpandVolume', async ({ capacityRange }) => ({
        capacityBytes: capacityRange?.requiredBytes ?? 0n,
        nodeExpansionRequired: false,
      }));
      const parameters = { fstype: 'xfs', availability: 'nova', type: 'fast' };
      await stage.apply(storageClass(className, { provisioner, parameters, mountOptions: ['noatime'] }) + sized('1Gi'));
      const volume = await untilBound(stage, 'data');
      await stage.record('bound');
      await stage.apply(attachment('swap-va', volume.metadata.name, 'node-a'));
      await untilAttachment(stage, 'swap-va', 'attached', isAttached);
      await stage.record('attached');
      await stage.apply(sized('2Gi'));
      await untilClaim(stage, 'data', 'has 2Gi', ({ status }) => status?.capacity?.['storage'] === '2Gi');
      await stage.record('expanded');
      await detach(stage, 'swap-va');
      await stage.record('detached');
      await deleteBoth(stage, 'data');
      await stage.record('deleted');
    },
  };
}
