// npm run images: every image of deploy/images with buildah, into .holdfast/images and buildah's store.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Architecture, architectures, images } from './names.ts';
import { stage } from './stage.ts';

const root = join(import.meta.dirname, '..', '..');
const usage = `usage: npm run images -- [--arch=amd64|arm64] [--base=IMAGE] [--prefix=localhost/holdfast] [--no-build] [--stage-only]
  --base        an image with glibc and libstdc++, in place of the one made from Debian's packages
  --no-build    take the bundles as npm run build left them
  --stage-only  only the build context, for docker build -f deploy/images/Containerfile.NAME .holdfast/images/ARCH`;

function stop(message: string): never {
  process.stderr.write(`images: ${message}\n`);
  process.exit(1);
}

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch === 'arm64' ? 'arm64' : 'amd64' },
    base: { type: 'string' },
    prefix: { type: 'string', default: 'localhost/holdfast' },
    'no-build': { type: 'boolean', default: false },
    'stage-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const isArchitecture = (text: string): text is Architecture => Object.hasOwn(architectures, text);
if (!isArchitecture(values.arch)) stop(`--arch=${values.arch}: amd64 or arm64`);
const architecture = values.arch;
for (const tool of ['apt-get', 'dpkg-deb', 'readelf']) {
  if (spawnSync(tool, ['--version']).error) stop(`needs ${tool}: install apt, dpkg and binutils, as on Debian`);
}
if (!values['stage-only'] && spawnSync('buildah', ['--version']).error) {
  stop('skipped, for there is no buildah: install the package buildah, or use --stage-only and docker build');
}

const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? (git('log', '-1', '--format=%ct') || '0'));
const revision = git('rev-parse', 'HEAD');
const folder = join(root, '.holdfast', 'images');
const context = join(folder, architecture);

if (!values['no-build'])
  execFileSync(process.execPath, [join(root, 'tools', 'build.ts')], { cwd: root, stdio: 'inherit' });
try {
  stage({
    root,
    folder: join(folder, `debian-${architecture}`),
    context,
    architecture,
    version,
    created: new Date(epoch * 1000),
  });
} catch (error) {
  stop(error instanceof Error ? error.message : String(error));
}
if (values['stage-only']) process.exit(0);

/** Builds one Containerfile. Nothing is run in it and nothing is pulled unless --base asks for it. */
function build(name: string, tag: string, args: Readonly<Record<string, string>>): void {
  execFileSync(
    'buildah',
    [
      'bud',
      '--quiet',
      '--isolation=chroot',
      '--format=oci',
      '--identity-label=false',
      `--timestamp=${epoch}`,
      `--arch=${architecture}`,
      ...(name === 'node' && values.base !== undefined ? [] : ['--pull-never']),
      ...Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`),
      `--file=${join(root, 'deploy', 'images', `Containerfile.${name}`)}`,
      `--tag=${tag}`,
      context,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

const parts = (part: string) => `${values.prefix}/${part}:${version}-${architecture}`;
if (values.base === undefined) build('base', parts('base'), {});
build('node', parts('node'), { BASE: values.base ?? parts('base') });
build('tools', parts('tools'), { NODE: parts('node') });
mkdirSync(folder, { recursive: true });

const sizes: { name: string; bytes: number; compressedBytes: number; digest: string }[] = [];
for (const { name } of images) {
  for (const [suffix, user] of [
    ['', '0:0'],
    ['-nonroot', '65532:65532'],
  ] as const) {
    const tag = `${values.prefix}/${name}:${version}${suffix}`;
    build(name, tag, { NODE: parts('node'), TOOLS: parts('tools'), VERSION: version, REVISION: revision, USER: user });
    const archive = join(folder, `${name}${suffix}-${architecture}.tar`);
    rmSync(archive, { force: true });
    execFileSync('buildah', ['push', '--quiet', tag, `oci-archive:${archive}:${tag}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (suffix === '') sizes.push({ name, ...measure(tag, archive) });
  }
}

function measure(tag: string, archive: string): { bytes: number; compressedBytes: number; digest: string } {
  // What a registry and a runtime know the image by.
  const index: { manifests: { digest: string }[] } = JSON.parse(
    execFileSync('tar', ['--extract', '--to-stdout', '--file', archive, 'index.json'], { encoding: 'utf8' }),
  );
  const program = join(context, images.find(({ name }) => tag.includes(`/${name}:`))?.name ?? '');
  return { bytes: sizeOf(program), compressedBytes: statSync(archive).size, digest: index.manifests[0]?.digest ?? '' };
}

function sizeOf(path: string): number {
  return Number(execFileSync('du', ['--bytes', '--summarize', path], { encoding: 'utf8' }).split('\t', 1).join(''));
}

writeFileSync(join(folder, `digests-${architecture}.json`), `${JSON.stringify(sizes, null, 2)}\n`);
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const shared = ['base', 'node', 'tools'].map((part) => ({ part, bytes: sizeOf(join(context, part)) }));
for (const { part, bytes } of shared)
  process.stdout.write(`${part.padEnd(26)} ${mib(bytes).padStart(10)}  shared layer\n`);
for (const { name, bytes, compressedBytes, digest } of sizes) {
  process.stdout.write(
    `${name.padEnd(26)} ${mib(bytes).padStart(10)}  own layer; whole image compressed ${mib(compressedBytes)}  ${digest}\n`,
  );
}
