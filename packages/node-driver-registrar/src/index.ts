export { registrarFlags } from './flags.ts';
export { main, registrarRole } from './main.ts';
