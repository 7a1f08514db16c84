// What is asked of the Go client for one module of the version table. Pure.
import { createHash } from 'node:crypto';
import { goVersion, type ReferenceModule, stagingModules } from './versions.ts';

export function goModText({ name, path, version, also = {}, staging }: ReferenceModule): string {
  const replaces =
    staging === undefined
      ? ''
      : `\nreplace (\n${stagingModules.map((module) => `\tk8s.io/${module} => k8s.io/${module} ${staging}\n`).join('')})\n`;
  const required = Object.entries({ [path]: version, ...also });
  const requires = required.map(([module, wanted]) => `require ${module} ${wanted}\n`).join('');
  return `module holdfast.invalid/reference/${name}\n\ngo ${goVersion}\n\n${requires}${replaces}`;
}

/**
 * Arguments of `go` that build `programs` into `folder`. `-mod=mod` lets it write the rest of go.mod and go.sum: the versions follow
 * from the required one, and Go's checksum database vouches for the content.
 */
export function buildArguments(module: ReferenceModule, programs: readonly string[], folder: string): string[] {
  const packages = programs.map((program) => packageOf(module, program));
  const [only] = programs;
  const output = packages.length === 1 ? `${folder}/${only}` : `${folder}/`;
  return ['build', '-mod=mod', '-trimpath', '-ldflags', linkerFlags(module), '-o', output, ...packages];
}

function linkerFlags({ stamps }: ReferenceModule): string {
  return ['-s -w', ...Object.entries(stamps).map(([variable, value]) => `-X ${variable}=${value}`)].join(' ');
}

function packageOf({ name, programs }: ReferenceModule, program: string): string {
  const found = programs[program];
  if (found === undefined) throw new Error(`module ${name} has no program ${program}`);
  return found;
}

/**
 * Changes when anything changes that the program is built from, Go itself excepted. Begins with the version, for people.
 * @param sources text of the module's own source files
 */
export function stampText(module: ReferenceModule, program: string, sources: readonly string[] = []): string {
  const asked = [
    goModText(module),
    ...buildArguments(module, [program], ''),
    process.platform,
    process.arch,
    ...sources,
  ];
  return `${module.version} ${createHash('sha256').update(asked.join('\n')).digest('hex')}\n`;
}

export interface Wanted {
  readonly module: ReferenceModule;
  readonly programs: readonly string[];
}

/** @throws Error that names what is not in the table */
export function wantedModules(modules: readonly ReferenceModule[], names: readonly string[]): Wanted[] {
  const known = modules.flatMap(({ programs }) => Object.keys(programs));
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no reference program ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  }
  return modules
    .map((module) => ({
      module,
      programs: Object.keys(module.programs).filter((program) => names.length === 0 || names.includes(program)),
    }))
    .filter(({ programs }) => programs.length > 0);
}
