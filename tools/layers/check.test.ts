import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHouse, importsOf } from './check.ts';
import { mayImport } from './floors.ts';

describe('checkHouse', () => {
  let packages: string;

  beforeEach(() => {
    packages = mkdtempSync(join(tmpdir(), 'layers-'));
  });
  afterEach(() => rmSync(packages, { recursive: true }));

  function write(name: string, dependencies: Record<string, string>, files: Record<string, string>, dev = {}): void {
    mkdirSync(join(packages, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(packages, name, file)), { recursive: true });
      writeFileSync(join(packages, name, file), text);
    }
    writeFileSync(join(packages, name, 'package.json'), JSON.stringify({ dependencies, devDependencies: dev }));
  }

  it('accepts an import of a lower floor that package.json names', () => {
    write('driver', { '@holdfast/core': '1' }, { 'src/a.ts': "import { x } from '@holdfast/core';" });
    expect(checkHouse(packages)).toEqual([]);
  });

  it('refuses an import of a higher floor, even when package.json names it', () => {
    write('core', { '@holdfast/driver': '1' }, { 'src/a.ts': "import { x } from '@holdfast/driver';" });
    expect(checkHouse(packages)).toEqual([
      expect.stringContaining('core/package.json: depends on "@holdfast/driver"'),
      expect.stringContaining('core/src/a.ts: imports "@holdfast/driver", which is not on a lower floor'),
    ]);
  });

  it('refuses a controller that imports its neighbour', () => {
    write('external-attacher', { '@holdfast/external-resizer': '1' }, {});
    expect(checkHouse(packages)).toHaveLength(1);
  });

  it('refuses an import that package.json does not name', () => {
    write('core', {}, { 'src/a.ts': "import { z } from 'zod';" });
    expect(checkHouse(packages)).toEqual([expect.stringContaining('imports "zod", which package.json does not name')]);
  });

  it('refuses a path into another package', () => {
    write('rpc', {}, { 'src/a.ts': "export { x } from '../../core/src/clock.ts';" });
    expect(checkHouse(packages)).toEqual([expect.stringContaining('inside another package')]);
  });

  it('lets tests, and only tests, import what is named for development', () => {
    const dev = { '@holdfast/sandbox': '1' };
    const source = "import { x } from '@holdfast/sandbox/testing';";
    write('external-resizer', {}, { 'src/a.test.ts': source, 'src/b.ts': source }, dev);
    expect(checkHouse(packages)).toEqual([expect.stringContaining('external-resizer/src/b.ts')]);
  });

  it('refuses a package without a floor', () => {
    write('attic', {}, {});
    expect(checkHouse(packages)).toEqual([expect.stringContaining('attic: has no floor')]);
  });
});

describe('importsOf', () => {
  it('finds every form of import', () => {
    const source = [
      "import a from 'one';",
      "import type { B } from 'two';",
      'import {',
      '  c,',
      "} from 'three';",
      "export { d } from 'four';",
      "import 'five';",
      "const e = await import('six');",
    ].join('\n');
    expect(importsOf(source)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });
});

describe('mayImport', () => {
  it('never allows both directions', () => {
    const names = ['csi-spec', 'core', 'rpc', 'kube', 'control', 'sidecar', 'mount', 'driver-kit', 'driver', 'sandbox'];
    for (const a of names) for (const b of names) if (mayImport(a, b)) expect(mayImport(b, a)).toBe(false);
  });
});
