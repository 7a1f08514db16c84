// The build context: one folder for each layer, with the files as they stand in the image. The Containerfiles only copy.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { copyInto, copyPrograms, type DebianPackage, programIn, unpackPackages } from './debian.ts';
import { driverTools, toolFiles, toolLibraries } from './driver-tools.ts';
import { type Architecture, architectures, type ImageSpec, images, libraryPackages } from './names.ts';
import { nodePackageOf } from './node-binary.ts';
import { type Component, componentsOf, spdx } from './sbom.ts';

export interface StageDeps {
  readonly root: string;
  /** What stays between runs: downloads. */
  readonly folder: string;
  readonly context: string;
  readonly architecture: Architecture;
  readonly version: string;
  readonly created: Date;
}

/** @throws Error that says what is missing and how to get it */
export function stage(deps: StageDeps): void {
  const { context, architecture, folder } = deps;
  const { triplet, loader } = architectures[architecture];
  rmSync(context, { recursive: true, force: true });
  const nodePackage = nodePackageOf(deps);
  const node = join(nodePackage.folder, 'bin', 'node');
  const toolPackages = [...new Set(Object.values(driverTools).map(({ from }) => from))].toSorted();
  const packages = unpackPackages([...libraryPackages, ...toolPackages, ...toolLibraries], { folder, architecture });

  const base = join(context, 'base');
  const libc = packages.find(({ name }) => name === 'libc6');
  copyInto(join(libc?.root ?? '', loader), base, loader);
  write(base, 'etc/passwd', 'root:x:0:0:root:/:/none\nnonroot:x:65532:65532:nonroot:/:/none\n');
  write(base, 'etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  write(base, 'etc/nsswitch.conf', 'hosts: files dns\n');
  const onBase = copyPrograms({ programs: { node }, packages, triplet, root: base, isThere: new Set() });
  rmSync(join(base, 'usr', 'bin'), { recursive: true });
  copyLicences(packages, [...libraryPackages], base);
  copyInto(node, join(context, 'node'), 'usr/bin/node');
  copyInto(join(nodePackage.folder, 'LICENSE'), join(context, 'node'), 'usr/share/doc/node/copyright');

  const tools = join(context, 'tools');
  const programs = Object.fromEntries(
    Object.entries(driverTools).map(([name, { from, file = name }]) => [
      name,
      programIn(packages, from, file, triplet),
    ]),
  );
  copyPrograms({ programs, packages, triplet, root: tools, isThere: onBase });
  for (const [file, from] of Object.entries(toolFiles)) {
    copyInto(join(packages.find(({ name }) => name === from)?.root ?? '', file), tools, file);
  }
  // xfs_io and e2label read it; a runtime may bring it, and chroot does not.
  symlinkSync('/proc/self/mounts', join(tools, 'etc', 'mtab'));
  copyLicences(packages, [...toolPackages, ...toolLibraries], tools);
  for (const image of images) stageProgram(image, packages, nodePackage.version, deps);
  evenModes(context);
}

function stageProgram(
  image: ImageSpec,
  packages: readonly DebianPackage[],
  nodeVersion: string,
  deps: StageDeps,
): void {
  const { root, context, version, created, architecture } = deps;
  const { name, folder, hasTools } = image;
  const target = join(context, name);
  const dist = join(root, 'packages', folder, 'dist');
  const main = `usr/lib/holdfast/${name}.mjs`;
  const code = readFileSync(join(dist, `${name}.mjs`), 'utf8').replace(/^#!.*\n/, '');
  write(target, main, `#!/usr/bin/node\n${withoutMap(code)}`);
  chmodSync(join(target, main), 0o755);
  for (const chunk of existsSync(join(dist, 'chunks')) ? readdirSync(join(dist, 'chunks')) : []) {
    if (!chunk.endsWith('.mjs')) continue;
    write(target, `usr/lib/holdfast/chunks/${chunk}`, withoutMap(readFileSync(join(dist, 'chunks', chunk), 'utf8')));
  }
  // Node takes a module by the name of the file behind the link.
  symlinkSync(main, join(target, name));
  const inputs: string[] = JSON.parse(readFileSync(join(dist, 'inputs.json'), 'utf8'));
  const inImage = new Set<string>([
    ...libraryPackages,
    ...(hasTools ? [...Object.values(driverTools).map(({ from }) => from), ...toolLibraries] : []),
  ]);
  const components: Component[] = [
    ...componentsOf(inputs, root),
    { name: 'node', version: nodeVersion, licence: 'MIT', purl: `pkg:generic/node@${nodeVersion}` },
    ...packages
      .filter((each) => inImage.has(each.name))
      .map((each) => ({
        name: each.name,
        version: each.version,
        licence: 'NOASSERTION',
        purl: `pkg:deb/debian/${each.name}@${each.version}?arch=${architecture}`,
      })),
  ];
  write(target, `usr/share/sbom/${name}.spdx.json`, spdx({ name, version, created, components }));
}

/** The maps stay outside: they are as large again, and nobody reads them in an image. */
function withoutMap(code: string): string {
  return code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
}

function copyLicences(packages: readonly DebianPackage[], names: readonly string[], root: string): void {
  for (const { name, root: unpacked } of packages) {
    const file = join(unpacked, 'usr/share/doc', name, 'copyright');
    if (names.includes(name) && existsSync(file)) copyInto(file, root, `usr/share/doc/${name}/copyright`);
  }
}

function write(root: string, path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** So that the image does not depend on the umask of who builds it. */
function evenModes(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) evenModes(path);
    else if (entry.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
