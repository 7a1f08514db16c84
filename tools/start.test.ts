import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

describe('start.mjs', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'start-'));
    mkdirSync(join(folder, 'tools'));
    cpSync(join(import.meta.dirname, 'start.mjs'), join(folder, 'tools', 'start.mjs'));
    writeFileSync(join(folder, 'package-lock.json'), '{}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function start(args: string[], env: NodeJS.ProcessEnv = {}) {
    const result = spawnSync(process.execPath, [join(folder, 'tools', 'start.mjs'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    return { code: result.status, said: result.stderr, printed: result.stdout };
  }

  function fakeNpm(script: string): string {
    const path = join(folder, 'npm.mjs');
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return path;
  }

  it('names the commands there are when asked for another', () => {
    expect(start(['dmeo'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('no command "dmeo"; there are: demo'),
    });
  });

  it('says what to check when npm cannot install', () => {
    const { code, said } = start(['build'], { npm_execpath: fakeNpm('process.exit(1)') });
    expect(code).toBe(1);
    expect(said).toContain('check the network or the registry setting');
  });

  it('installs once, hands over arguments and exit code, and installs again after the lockfile changed', () => {
    const npm = { npm_execpath: fakeNpm("import{mkdirSync}from'node:fs';mkdirSync('node_modules',{recursive:true})") };
    writeFileSync(join(folder, 'tools', 'build.ts'), 'console.log(process.argv.slice(2).join(" ")); process.exit(7);');
    const first = start(['build', '--a', 'b'], npm);
    expect(first).toMatchObject({ code: 7, printed: '--a b\n', said: expect.stringContaining('installing') });
    expect(start(['build'], npm).said).toBe('');
    writeFileSync(join(folder, 'package-lock.json'), '{ }');
    expect(start(['build'], npm).said).toContain('installing');
  });
});
