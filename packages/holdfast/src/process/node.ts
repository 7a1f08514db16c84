import { driverRole } from '@holdfast/driver';
import { livenessRole } from '@holdfast/livenessprobe';
import { registrarRole } from '@holdfast/node-driver-registrar';
import { defineProcess } from './define-process.ts';

/** The driver of a node, registered and watched. */
export const node = defineProcess({
  name: 'holdfast node',
  roles: { driver: driverRole, registrar: registrarRole, livenessprobe: livenessRole },
  derive(given, chosen, env) {
    const endpoint = given.get('driver-endpoint') ?? given.get('endpoint') ?? env.CSI_ENDPOINT;
    if (!chosen.has('driver') || endpoint === undefined || given.has('csi-address')) return given;
    return new Map([...given, ['csi-address', endpoint]]);
  },
});
