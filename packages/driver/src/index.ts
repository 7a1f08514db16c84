export type { BackendDeps } from './backend-deps.ts';
export { createDirBackend } from './dir/dir-backend.ts';
export { createDiskBackend } from './disk/disk-backend.ts';
export { driverFlags } from './flags.ts';
export { driverRole, main } from './main.ts';
export { backendNames, defaultDriverName, topologyKey, zoneTopologyKey } from './names.ts';
