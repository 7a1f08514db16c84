import {
  type ControllerService,
  type ControllerServiceCapability,
  ControllerServiceCapability_RPC_Type,
} from '@holdfast/csi-spec';
import type { Handlers } from '@holdfast/rpc';
import type { z } from 'zod';
import { attachHandlers } from './attach-volume.ts';
import type { Backend } from './backend.ts';
import { canCreateVolumes, controllerCapabilitiesOf } from './capabilities.ts';
import { createVolumeHandler } from './create-volume.ts';
import { deleteVolumeHandler } from './delete-volume.ts';
import { expandHandlers } from './expand-volume.ts';
import { controllerHealthHandlers } from './health.ts';
import { listHandlers } from './list-volumes.ts';
import type { VolumeLocks } from './locks.ts';
import { modifyHandlers } from './modify-volume.ts';
import { snapshotHandlers } from './snapshots.ts';
import { validateCapabilitiesHandler } from './validate-capabilities.ts';

export function createControllerHandlers<Schema extends z.ZodObject>(deps: {
  backend: Backend<Schema>;
  locks: VolumeLocks;
}): Handlers<ControllerService> {
  const { backend } = deps;
  return {
    controllerGetCapabilities: async () => ({
      capabilities: controllerCapabilitiesOf(backend).map(
        (name): ControllerServiceCapability => ({
          type: { $case: 'rpc', value: { type: ControllerServiceCapability_RPC_Type[name] } },
        }),
      ),
    }),
    validateVolumeCapabilities: validateCapabilitiesHandler(backend),
    ...(canCreateVolumes(backend)
      ? { createVolume: createVolumeHandler(deps), deleteVolume: deleteVolumeHandler(deps) }
      : {}),
    ...listHandlers(backend),
    ...attachHandlers(deps),
    ...expandHandlers(deps),
    ...modifyHandlers(deps),
    ...snapshotHandlers(deps),
    ...controllerHealthHandlers(backend),
  };
}
