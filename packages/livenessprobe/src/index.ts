export { livenessFlags } from './flags.ts';
export { livenessRole, main } from './main.ts';
