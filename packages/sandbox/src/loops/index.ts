export { type RunLoopsDeps, runLoops } from './run.ts';
