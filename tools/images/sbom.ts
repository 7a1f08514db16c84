// What an image is made of, as SPDX 2.3: the npm packages that are really in the bundle, Node, and Debian's packages.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Component {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** A package URL, github.com/package-url. */
  readonly purl: string;
}

/** The npm packages of a bundle, from the files that went into it. */
export function componentsOf(inputs: readonly string[], root: string): Component[] {
  const folders = new Set<string>();
  for (const input of inputs) {
    const [, folder] = /^(?:.*\/)?((?:packages\/[^/]+\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    const [, own] = /^(?:\.\.\/)*(packages\/[^/]+)\/src\//.exec(input) ?? [];
    const found = folder ?? own;
    if (found !== undefined) folders.add(found);
  }
  return [...folders].toSorted().flatMap((folder) => {
    const file = join(root, folder, 'package.json');
    if (!existsSync(file)) return [];
    const {
      name,
      version,
      license = 'NOASSERTION',
    }: { name: string; version: string; license?: string } = JSON.parse(readFileSync(file, 'utf8'));
    return [{ name, version, licence: license, purl: `pkg:npm/${name.replace('@', '%40')}@${version}` }];
  });
}

export function spdx(deps: { name: string; version: string; created: Date; components: readonly Component[] }): string {
  const { name, version, created, components } = deps;
  const id = (text: string) => `SPDXRef-${text.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`;
  const packages = [{ name, version, licence: 'Apache-2.0', purl: `pkg:oci/${name}@${version}` }, ...components];
  return `${JSON.stringify(
    {
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: `${name}-${version}`,
      documentNamespace: `urn:holdfast:sbom:${name}:${version}:${created.getTime()}`,
      creationInfo: {
        created: created.toISOString().replace(/\.\d+Z$/, 'Z'),
        creators: ['Organization: Holdfast', 'Tool: holdfast-images'],
      },
      packages: packages.map((each) => ({
        SPDXID: id(each.purl),
        name: each.name,
        versionInfo: each.version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseDeclared: each.licence,
        externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: each.purl }],
      })),
      relationships: [
        {
          spdxElementId: 'SPDXRef-DOCUMENT',
          relationshipType: 'DESCRIBES',
          relatedSpdxElement: id(packages[0]?.purl ?? ''),
        },
        ...components.map((each) => ({
          spdxElementId: id(packages[0]?.purl ?? ''),
          relationshipType: 'CONTAINS',
          relatedSpdxElement: id(each.purl),
        })),
      ],
    },
    null,
    1,
  )}\n`;
}
