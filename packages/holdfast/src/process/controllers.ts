import { attacherRole } from '@holdfast/external-attacher';
import { provisionerRole } from '@holdfast/external-provisioner';
import { resizerRole } from '@holdfast/external-resizer';
import { defineProcess } from './define-process.ts';

/** A whole controller pod beside its driver. */
export const controllers = defineProcess({
  name: 'holdfast controllers',
  roles: { provisioner: provisionerRole, attacher: attacherRole, resizer: resizerRole },
});
