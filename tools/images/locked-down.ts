// A container as the strictest pod makes it: nobody's user, no capability, nothing of the image can be written to.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../rig/wait-until.ts';

/** Of kubelet's and containerd's programs, whichever is here. Debian's buildah comes with one of them. */
export const ociRuntime = ['runc', 'crun'].find((name) => spawnSync(name, ['--version']).error === undefined);

export const nobody = 65532;
const startTimeoutMs = 120_000;

export interface LockedDown {
  log(): string;
  /** From /proc: what the kernel holds it to. */
  limits(): string;
  /** Waits until `look` finds something. @throws Error with its log when the program ends first */
  until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T>;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

export interface LockedDownSpec {
  readonly runtime: string;
  readonly name: string;
  /** The mounted image. */
  readonly image: string;
  readonly args: readonly string[];
  /** Folders of the pod, by where they are in the container. */
  readonly volumes: Readonly<Record<string, string>>;
  /** A folder of this container's own. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export function runLockedDown(spec: LockedDownSpec): LockedDown {
  const { runtime, name, folder, signal } = spec;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(containerOf(spec)));
  const pidFile = join(folder, 'pid');
  const id = `holdfast-${process.pid}-${name}`;
  const global = [`--root=${join(folder, 'state')}`];
  const child = spawn(runtime, [...global, 'run', `--bundle=${folder}`, `--pid-file=${pidFile}`, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    log: () => log,
    limits: () => limitsOf(readFileSync(pidFile, 'utf8').trim()),
    until: (what, look) =>
      waitUntil({
        what: `${name}: ${what}`,
        look: () => {
          if (hasEnded(child)) throw new Error(`${name} has ended:\n${log}`);
          return look();
        },
        timeoutMs: startTimeoutMs,
        signal,
      }),
    async stop() {
      // The runtime hands it to the program, and ends with the program's own code.
      if (!hasEnded(child)) child.kill('SIGTERM');
      const code = await ended;
      spawnSync(runtime, [...global, 'delete', '--force', id]);
      return code;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What the kernel says of a process, a word each. */
function limitsOf(pid: string): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) =>
    new RegExp(`^${name}:[\\t ]*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/).join(',') ?? '';
  const [root = ''] = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4] === '/');
  const names = ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs'];
  return [...names.map((name) => `${name}=${field(name)}`), `root=${root.split(' ')[5]?.split(',', 1).join('')}`].join(
    ' ',
  );
}

const ids = Array.from({ length: 4 }, () => nobody).join(',');
const none = '0'.repeat(16);

/** Where nothing more can be taken away. */
export const strictest =
  `Uid=${ids} Gid=${ids} Groups= CapInh=${none} CapPrm=${none} CapEff=${none} CapBnd=${none} CapAmb=${none} ` +
  'NoNewPrivs=1 root=ro';

/** The runtime specification's config.json: what containerd makes of a security context. */
function containerOf({ name, image, args, volumes }: LockedDownSpec): object {
  return {
    ociVersion: '1.0.2',
    process: {
      args: [`/${name}`, ...args],
      cwd: '/',
      env: ['PATH=/usr/bin:/usr/sbin'],
      user: { uid: nobody, gid: nobody },
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      noNewPrivileges: true,
    },
    root: { path: image, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      ...Object.entries(volumes).map(([destination, source]) => ({
        destination,
        type: 'bind',
        source,
        options: ['bind', 'rw', 'nosuid', 'nodev'],
      })),
    ],
    // The machine's network: its loopback is where the API server listens.
    linux: { namespaces: ['mount', 'ipc', 'uts', 'pid'].map((type) => ({ type })) },
  };
}
