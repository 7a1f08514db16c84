import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutNpm } from './pack.ts';
import type { Registry } from './registry.ts';
import { type Ran, tryRun } from './run.ts';

/** Somebody who has nothing of this project but what the registry gives. */
export interface User {
  /** A new empty folder. */
  folder(name: string): string;
  run(file: string, args: readonly string[], cwd: string): Promise<Ran>;
}

export function createUser({
  home,
  registry,
  signal,
}: {
  readonly home: string;
  readonly registry: Registry;
  readonly signal: AbortSignal;
}): User {
  const npmrc = join(home, 'npmrc');
  const settings = ['audit=false', 'fund=false', 'ignore-scripts=true', 'update-notifier=false', 'progress=false'];
  writeFileSync(npmrc, [`registry=${registry.url}`, `cache=${join(home, 'cache')}`, ...settings, ''].join('\n'));
  const env = { ...withoutNpm(process.env), npm_config_userconfig: npmrc, NO_COLOR: '1' };
  return {
    folder(name) {
      const path = join(home, name);
      mkdirSync(path);
      return path;
    },
    run: (file, args, cwd) => tryRun(file, args, { cwd, env, signal }),
  };
}

/** What went wrong with a program, or undefined. */
export function failure({ code, stdout, stderr }: Ran): string | undefined {
  return code === 0 ? undefined : `exit code ${code}\n${stdout}${stderr}`;
}
