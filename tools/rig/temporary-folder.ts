import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asLastResort } from './last-resort.ts';

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/** The process is in the name, so that a folder whose process was killed is known as such. */
export function makeTemporaryFolder(purpose: string): TemporaryFolder {
  // The real path: mountinfo and losetup know no other.
  const path = realpathSync(mkdtempSync(join(tmpdir(), `holdfast-rig-${process.pid}-${purpose}-`)));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  const forget = asLastResort(remove);
  return {
    path,
    remove: () => {
      remove();
      forget();
    },
  };
}
