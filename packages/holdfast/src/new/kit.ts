import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { findInstallation, type Installation } from '../installation.ts';

/** The driver of docs/write-a-driver.md: compiled, run and put before csi-sanity where it lies. */
export const samplePath = 'packages/driver/src/sample/sample-driver.ts';
export const templatePath = 'packages/driver-kit/template';

/** Of the kit's packages, those that a driver calls. */
const kitPackages = ['driver-kit', 'mount', 'sidecar'];

/** What the package of a new driver is made of. */
export interface Kit {
  readonly readme: string;
  readonly tsconfig: string;
  readonly driver: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** Where the driver's README finds that of the kit. */
  readonly kitReadme: string;
}

interface Versions {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** @param folder where the driver is going to be */
export async function readKit(folder: string, installation: Installation = findInstallation()): Promise<Kit> {
  const { kind, root } = installation;
  const template = kind === 'package' ? installation.templateDir : join(root, templatePath);
  const driver = kind === 'package' ? join(template, 'driver.ts') : join(root, samplePath);
  const versions =
    kind === 'package' ? await readJson<Versions>(join(template, 'versions.json')) : await versionsInSources(root);
  const from = (name: string): string => join(relative(folder, root), 'packages', name);
  const { version } = await readJson<{ version: string }>(join(root, 'package.json'));
  const ours = kitPackages.map((each) => [`@holdfast/${each}`, kind === 'package' ? version : `file:${from(each)}`]);
  return {
    readme: await readFile(join(template, 'README.md'), 'utf8'),
    tsconfig: await readFile(join(template, 'tsconfig.json'), 'utf8'),
    driver: await readFile(driver, 'utf8'),
    dependencies: { ...Object.fromEntries(ours), ...versions.dependencies },
    devDependencies: versions.devDependencies,
    kitReadme:
      kind === 'package' ? 'node_modules/@holdfast/driver-kit/README.md' : join(from('driver-kit'), 'README.md'),
  };
}

/** Of what a driver needs that is not ours: as the kit itself, and as the project that checks the sample. */
export async function versionsInSources(root: string): Promise<Versions> {
  const kit = await readJson<Versions>(join(root, 'packages', 'driver-kit', 'package.json'));
  const project = await readJson<Versions>(join(root, 'package.json'));
  return {
    dependencies: pick(kit.dependencies, ['zod']),
    devDependencies: pick(project.devDependencies, ['@types/node', 'typescript']),
  };
}

function pick(versions: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, versions[name] ?? '*']));
}

async function readJson<T>(path: string): Promise<T> {
  const parsed: T = JSON.parse(await readFile(path, 'utf8'));
  return parsed;
}
