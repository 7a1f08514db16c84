import { join } from 'node:path';
import { runScript } from '@holdfast/sidecar/testing';
import { expect, it } from 'vitest';
import { commands } from './commands.ts';

const MiB = 2 ** 20;

/** Loads a command in a process of its own, and allocates there as much as a thousand claims do. @returns its young generation */
async function youngGenerationAfterChurn(name: string): Promise<number> {
  const program = runScript(`
    import { getHeapSpaceStatistics } from 'node:v8';
    import { commands } from ${JSON.stringify(join(import.meta.dirname, 'commands.ts'))};
    await commands[${JSON.stringify(name)}].load();
    let alive: object[] = [];
    for (let n = 0; n < 1_000_000; n += 1) {
      alive.push({ n, text: 'text ' + n });
      if (alive.length > 40_000) alive = [];
    }
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);
    process.exit();
  `);
  expect(await program.exitCode, program.stderr()).toBe(0);
  return Number(program.stdout());
}

const services = Object.keys(commands).filter((name) => name !== 'demo' && name !== 'new');

it.each(services)('%s stays as small as the program of one role', async (name) => {
  // 64 MiB where it may grow; loading the sources, without a bundle, takes 16.
  expect(await youngGenerationAfterChurn(name)).toBeLessThanOrEqual(32 * MiB);
});
