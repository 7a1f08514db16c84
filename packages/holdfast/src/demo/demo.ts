import { spawn } from 'node:child_process';
import { errorMessage } from '@holdfast/core';
import { findInstallation } from '../installation.ts';
import { findFooting, namespaceArgs } from './footing.ts';
import { runInside } from './inside.ts';
import { OptionError, parseOptions, usage } from './options.ts';

/** Set for the second process, which already is in a mount namespace of its own. */
const insideVariable = 'HOLDFAST_DEMO_INSIDE';

/**
 * `npm run demo`. Runs the whole demo in a mount namespace of its own, so that the machine's mount table stays untouched
 * whatever happens. Returns the exit code.
 */
export async function demo(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      process.stdout.write(usage);
      return 0;
    }
    if (process.env[insideVariable] !== undefined)
      return await runInside(options, process.env[insideVariable] === 'root');
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`holdfast demo: ${error.message}\n${usage}`);
    return 2;
  }
  try {
    findInstallation();
  } catch (error) {
    process.stderr.write(`holdfast demo: ${errorMessage(error)}\n`);
    return 1;
  }
  const footing = findFooting();
  if (footing.kind === 'impossible') {
    process.stderr.write(`holdfast demo: ${footing.reason}\n`);
    return 1;
  }
  return respawn([...namespaceArgs(footing), process.execPath, ...process.argv.slice(1)], footing.kind);
}

function respawn(args: readonly string[], footing: string): Promise<number> {
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [insideVariable]: footing } });
  // Ctrl-C reaches the child by itself, which then cleans up; this process waits for it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(
        `holdfast demo: could not run unshare (${error.message}); it comes with the package util-linux.\n`,
      );
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
