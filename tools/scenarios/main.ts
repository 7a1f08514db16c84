// `npm run test:control-plane`: one suite of scenarios, on the sandbox and on a real control plane.
//
//   npm run test:control-plane -- --cluster=kubernetes --sidecars=provisioner=upstream -t topology
//
// What it does not know it hands to vitest. The last line is "N passed, N failed"; a scenario counts as one, and so does anything
// else that goes wrong.
import { inMountNamespace } from '../rig/mount-namespace.ts';
import { OptionError, type Options, parseOptions } from './options.ts';
import { prepareRun } from './prepare.ts';
import { runSuites } from './run-suites.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`test:control-plane: ${error.message}`);
    return 2;
  }
  try {
    return await inMountNamespace({
      prepare: (signal) => prepareRun(options, signal),
      run: (signal) => runSuites(options, signal),
    });
  } catch (error) {
    console.error(`test:control-plane: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
