import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorMessage } from '@holdfast/core';
import { wrongDriverName } from './driver-name.ts';
import { readKit } from './kit.ts';

const sampleName = 'sample.csi.example';

const usage = 'usage: holdfast new driver NAME [FOLDER], such as: holdfast new driver disk.csi.example.com';

/** Writes the package of a new driver. npm tells in INIT_CWD where it was called. @returns the exit code */
export async function newDriver(
  args: readonly string[],
  cwd = process.env['INIT_CWD'] ?? process.cwd(),
): Promise<number> {
  const [kind, name, folderGiven, ...rest] = args;
  if (kind !== 'driver' || name === undefined || rest.length > 0 || args.some((word) => word.startsWith('-'))) {
    say(
      process.stderr,
      `holdfast: ${kind === undefined || kind === 'driver' ? '' : `cannot make a new ${kind}; `}${usage}`,
    );
    return 2;
  }
  const wrong = wrongDriverName(name);
  if (wrong !== undefined) {
    say(process.stderr, `holdfast: ${JSON.stringify(name)} cannot name a driver: ${wrong}`);
    return 2;
  }
  const folder = resolve(cwd, folderGiven ?? name);
  if (existsSync(folder)) {
    say(
      process.stderr,
      `holdfast: ${folder} exists already, and nothing of it is touched: name another folder, or remove it`,
    );
    return 1;
  }
  try {
    await writeAll(folder, await filesOf(name, folder));
  } catch (error) {
    say(process.stderr, `holdfast: the driver cannot be written to ${folder}: ${errorMessage(error)}`);
    return 1;
  }
  say(
    process.stdout,
    `${name} is in ${folder}. To run it: cd ${folder} && npm install; its README.md says how it goes on.`,
  );
  return 0;
}

async function filesOf(name: string, folder: string): Promise<Record<string, string>> {
  const { readme, tsconfig, driver, dependencies, devDependencies, kitReadme } = await readKit(folder);
  const packageJson = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { start: 'node src/driver.ts', typecheck: 'tsc' },
    dependencies,
    devDependencies,
  };
  return {
    'README.md': readme.replaceAll('NAME', name).replaceAll('KIT', kitReadme),
    'package.json': `${JSON.stringify(packageJson, undefined, 2)}\n`,
    'tsconfig.json': tsconfig,
    'src/driver.ts': driver.replaceAll(sampleName, name).replaceAll('sample-driver', name),
  };
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text, { flag: 'wx' });
}

function say(stream: NodeJS.WritableStream, line: string): void {
  stream.write(`${line}\n`);
}
