import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the command reads beside its own code: from the project's sources, or from the published package, which brings a copy. */
export type Installation =
  | {
      readonly kind: 'sources';
      /** Of the repository. */
      readonly root: string;
      readonly examplesDir: string;
      readonly programsDir?: undefined;
    }
  | {
      readonly kind: 'package';
      /** Of the package. */
      readonly root: string;
      readonly examplesDir: string;
      /** Where each program is one file. */
      readonly programsDir: string;
      readonly templateDir: string;
    };

/** @throws Error where there is neither, as in an image, which holds the programs alone */
export function findInstallation(from: string = import.meta.dirname): Installation {
  const folder = nearestPackage(from);
  if (folder === undefined) {
    throw new Error(
      'the files that this command needs are not here, as in a container image; use the npm package, or the sources',
    );
  }
  if (existsSync(join(folder, 'src'))) {
    const root = join(folder, '..', '..');
    return { kind: 'sources', root, examplesDir: join(root, 'deploy', 'examples') };
  }
  const dist = join(folder, 'dist');
  return {
    kind: 'package',
    root: folder,
    examplesDir: join(dist, 'examples'),
    programsDir: join(dist, 'bin'),
    templateDir: join(dist, 'template'),
  };
}

function nearestPackage(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : nearestPackage(above);
}
