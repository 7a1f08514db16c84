export { livenessFlags } from './flags.ts';
export { main } from './main.ts';
