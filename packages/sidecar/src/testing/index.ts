export { type IdentityDouble, serveIdentity } from './identity-double.ts';
export { type RunningProgram, runMain, runScript, spawnProgram } from './program.ts';
