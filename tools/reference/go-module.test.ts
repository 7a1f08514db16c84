import { describe, expect, it } from 'vitest';
import { buildArguments, goModText, stampText, wantedModules } from './go-module.ts';
import { type ReferenceModule, referenceModules } from './versions.ts';

const plain: ReferenceModule = {
  name: 'one',
  path: 'example.com/one/v2',
  version: 'v2.1.0',
  programs: { 'program-a': 'example.com/one/v2/cmd/program-a', 'program-b': 'example.com/one/v2/cmd/program-b' },
  stamps: { 'main.version': 'v2.1.0' },
};
const staged: ReferenceModule = { ...plain, name: 'two', staging: 'v0.36.3' };

describe('go.mod', () => {
  it('requires the module at its version and nothing else', () => {
    expect(goModText(plain)).toBe(
      'module holdfast.invalid/reference/one\n\ngo 1.26.0\n\nrequire example.com/one/v2 v2.1.0\n',
    );
  });

  it('requires what a program of our own imports beside it', () => {
    expect(goModText({ ...plain, also: { 'example.com/other': 'v1.0.0' } })).toMatch(
      /\nrequire example\.com\/one\/v2 v2\.1\.0\nrequire example\.com\/other v1\.0\.0\n$/,
    );
  });

  it('gives the staging modules of Kubernetes a version that exists', () => {
    const text = goModText(staged);
    expect(text).toMatch(/\nreplace \(\n(\tk8s\.io\/[a-z-]+ => k8s\.io\/[a-z-]+ v0\.36\.3\n)+\)\n$/);
    expect(text).toContain('\tk8s.io/client-go => k8s.io/client-go v0.36.3\n');
    for (const line of text.matchAll(/(\S+) => (\S+) v/g)) expect(line[1]).toBe(line[2]);
  });
});

describe('the arguments of go build', () => {
  it('name the file of one program, and the folder of several', () => {
    expect(buildArguments(plain, ['program-a'], '/out').slice(-3)).toEqual([
      '-o',
      '/out/program-a',
      'example.com/one/v2/cmd/program-a',
    ]);
    expect(buildArguments(plain, ['program-a', 'program-b'], '/out')).toEqual([
      'build',
      '-mod=mod',
      '-trimpath',
      '-ldflags',
      '-s -w -X main.version=v2.1.0',
      '-o',
      '/out/',
      'example.com/one/v2/cmd/program-a',
      'example.com/one/v2/cmd/program-b',
    ]);
  });
});

describe('the stamp', () => {
  it('begins with the version and changes with everything the program is built from', () => {
    expect(stampText(plain, 'program-a')).toMatch(/^v2\.1\.0 [0-9a-f]{64}\n$/);
    const stamps = [
      stampText(plain, 'program-a'),
      stampText(plain, 'program-b'),
      stampText({ ...plain, version: 'v2.1.1' }, 'program-a'),
      stampText({ ...plain, stamps: {} }, 'program-a'),
      stampText({ ...plain, staging: 'v0.36.3' }, 'program-a'),
      stampText({ ...plain, staging: 'v0.36.4' }, 'program-a'),
      stampText(plain, 'program-a', ['package main']),
    ];
    expect(new Set(stamps).size).toBe(stamps.length);
  });
});

describe('the programs asked for', () => {
  it('are all without a name, and the named ones of their modules else', () => {
    expect(wantedModules([plain], [])).toEqual([{ module: plain, programs: ['program-a', 'program-b'] }]);
    const other = { ...plain, name: 'other', programs: { 'program-c': 'example.com/one/v2/cmd/program-c' } };
    expect(wantedModules([plain, other], ['program-b'])).toEqual([{ module: plain, programs: ['program-b'] }]);
  });

  it('must be in the table', () => {
    expect(() => wantedModules([plain], ['program-a', 'progam-b'])).toThrow(
      'no reference program progam-b; there are: program-a, program-b',
    );
  });
});

describe('the version table', () => {
  it('names each module and each program once', () => {
    const names = referenceModules.map(({ name }) => name);
    const programs = referenceModules.flatMap((module) => Object.keys(module.programs));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(programs).size).toBe(programs.length);
  });

  it('calls programs that are built together as go build will call them', () => {
    for (const { programs } of referenceModules.filter((module) => Object.keys(module.programs).length > 1)) {
      for (const [program, path] of Object.entries(programs)) expect(path.split('/').at(-1)).toBe(program);
    }
  });

  it('takes packages from the module, whose version it stamps', () => {
    for (const { path, version, programs, stamps, source } of referenceModules) {
      for (const used of Object.values(programs)) {
        if (source === undefined) expect(`${used}/`).toContain(`${path}/`);
      }
      for (const [variable, value] of Object.entries(stamps)) {
        if (/version$/i.test(variable)) expect(value).toBe(version);
      }
    }
  });
});
