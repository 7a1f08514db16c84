// npm run test:images: runs what npm run images has built. Its last line is "N passed, N failed".
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveIdentity } from '../../packages/sidecar/src/testing/index.ts';
import { filesThatDiffer } from './build-again.ts';
import { checkLockedDown } from './check-locked-down.ts';
import { driverTools } from './driver-tools.ts';
import { ociRuntime } from './locked-down.ts';
import { images } from './names.ts';

const root = join(import.meta.dirname, '..', '..');
const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tagOf = (name: string) => `localhost/holdfast/${name}:${version}`;

if (process.getuid?.() !== 0 || spawnSync('buildah', ['--version']).error) {
  process.stdout.write('images: skipped, for it needs root and the package buildah\n0 passed, 0 failed\n');
  process.exit(0);
}
const buildah = (...args: string[]) =>
  execFileSync('buildah', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

let passed = 0;
let failed = 0;
function check(what: string, isTrue: boolean, seen: unknown = ''): void {
  if (isTrue) passed += 1;
  else failed += 1;
  process.stdout.write(`${isTrue ? 'ok    ' : 'FAILED'} ${what}${isTrue ? '' : `: ${JSON.stringify(seen)}`}\n`);
}

/** Every file of a mounted image that can be run. */
function programsIn(mounted: string): string[] {
  return ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin']
    .flatMap((place) => (existsSync(join(mounted, place)) ? readdirSync(join(mounted, place)) : []))
    .toSorted();
}

/** The health check of an image's livenessprobe, against a driver that is really there. */
async function probe(container: string, command: readonly string[]): Promise<string> {
  const driver = await serveIdentity();
  const args = ['run', '--isolation=chroot', `--volume=${driver.folder}:/csi`, container, '--', ...command];
  const child = spawn('buildah', [...args, '--csi-address=/csi/csi.sock', '--http-endpoint=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const [, found] = /"HTTP server is listening".* port=(\d+)/.exec(text) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once('close', () => reject(new Error(text)));
    });
    const reply = await fetch(`http://127.0.0.1:${port}/metrics`);
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    return `${reply.status} ${health.status} ${await health.text()}`;
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
    await driver.stop();
  }
}

for (const { name, hasTools } of images) {
  const container = buildah('from', '--pull-never', tagOf(name));
  try {
    const run = (...args: string[]) =>
      spawnSync('buildah', ['run', '--isolation=chroot', container, '--', `/${name}`, ...args], { encoding: 'utf8' });
    const help = run('--help');
    check(`${name} --help`, help.status === 0 && /usage/i.test(help.stdout), help);
    if (name !== 'livenessprobe') {
      const { stdout } = run('--version');
      check(`${name} --version`, stdout === `${name} ${version}\n`, stdout);
    }
    const mounted = buildah('mount', container);
    const expected = hasTools ? ['node', ...Object.keys(driverTools)].toSorted() : ['node'];
    const programs = programsIn(mounted);
    check(
      `${name} has ${hasTools ? 'only its tools' : 'Node alone'}, no shell`,
      String(programs) === String(expected),
      programs,
    );
    const sbom: { packages: unknown[] } = JSON.parse(
      readFileSync(join(mounted, `usr/share/sbom/${name}.spdx.json`), 'utf8'),
    );
    check(`${name} says what it is made of`, sbom.packages.length > 20, sbom.packages.length);
    const user = (tag: string) => buildah('inspect', '--type=image', '--format={{.OCIv1.Config.User}}', tag);
    const users = [user(tagOf(name)), user(`${tagOf(name)}-nonroot`)];
    check(`${name} runs as upstream's does, or as nonroot`, String(users) === '0:0,65532:65532', users);
    if (name === 'livenessprobe')
      check(`${name} asks a driver`, (await probe(container, [`/${name}`])) === '200 200 ok');
  } finally {
    buildah('rm', container);
  }
}

const differing = filesThatDiffer('livenessprobe');
check('the same sources make the same bundle in another clean folder', differing.length === 0, differing);

if (ociRuntime === undefined) {
  process.stdout.write('images: the strictest security context was not tried, for it needs runc or crun\n');
} else {
  const containers: string[] = [];
  const mounted = (name: string): string => {
    const container = buildah('from', '--pull-never', tagOf(name));
    containers.push(container);
    return buildah('mount', container);
  };
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  try {
    await checkLockedDown({ runtime: ociRuntime, mounted, check, signal: stop.signal });
  } finally {
    for (const container of containers) buildah('rm', container);
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
