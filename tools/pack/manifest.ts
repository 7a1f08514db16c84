// The package.json that is published, made from the one in the sources. Sources run as they are; Node strips types only outside
// node_modules, so a published package holds JavaScript and declarations instead.

export interface SourceManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly sideEffects: boolean;
  readonly exports: Readonly<Record<string, string>>;
  readonly holdfast?: { readonly program?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Entry {
  readonly types: string;
  readonly default: string;
}

export interface PublishedManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly license: string;
  readonly repository?: { readonly type: 'git'; readonly url: string; readonly directory: string };
  readonly type: 'module';
  readonly sideEffects: boolean;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, Entry | string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly publishConfig: { readonly access: 'public'; readonly provenance: true };
}

const source = /^\.\/src\/(.+)\.ts$/;

/** Entry points that are compiled, by name, as paths below `src` without their ending. */
export function libraryEntries(exports: SourceManifest['exports']): Map<string, string> {
  const entries = Object.entries(exports).map(([name, path]) => [name, source.exec(path)?.[1]] as const);
  return new Map(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** @param repository where the sources are, as a registry wants it to vouch for the origin of a package */
export function publishedManifest(
  manifest: SourceManifest,
  { folder, repository }: { readonly folder: string; readonly repository?: string | undefined },
): PublishedManifest {
  const { name, version, description, license, sideEffects, dependencies = {} } = manifest;
  const program = manifest.holdfast?.program;
  const library = libraryEntries(manifest.exports);
  const exports = [...library].map(([entry, path]): [string, Entry] => [
    entry,
    { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` },
  ]);
  return {
    name,
    version,
    description,
    keywords: ['kubernetes', 'csi', 'storage'],
    license,
    ...(repository && { repository: { type: 'git', url: `git+${repository}.git`, directory: `packages/${folder}` } }),
    type: 'module',
    sideEffects,
    engines: { node: '>=24' },
    files: ['dist'],
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    ...(program && { bin: { [program]: `dist/bin/${program}.mjs` } }),
    // A program is one file that has all it needs; what is imported, imports.
    ...(library.size > 0 && { dependencies }),
    publishConfig: { access: 'public', provenance: true },
  };
}
