export { type IdentityDouble, serveIdentity } from './identity-double.ts';
export { type RunningProgram, runScript, spawnProgram } from './program.ts';
