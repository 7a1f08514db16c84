export { registrarFlags } from './flags.ts';
export { main } from './main.ts';
