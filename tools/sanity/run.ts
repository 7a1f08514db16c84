import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referenceProgram } from '../reference/build.ts';
import { exitOf, startDriver } from './driver-process.ts';
import { readJunitReport, type SpecResult } from './junit-report.ts';
import { removeLeftovers } from './leftovers.ts';

export interface Target {
  /** `sample` is the driver of docs/write-a-driver.md. */
  readonly backend: 'disk' | 'dir' | 'sample';
  readonly accessType: 'mount' | 'block';
  /** What the specs of ControllerModifyVolume set. None: the backend has no such parameters. */
  readonly mutableParameters?: Readonly<Record<string, string>>;
  /** Capabilities that the backend is known to have: a spec that is skipped for lack of one has failed. */
  readonly required: readonly string[] | 'all';
}

export interface Outcome {
  readonly results: readonly SpecResult[];
  /** What went wrong beside the specs: an exit code, something left behind. */
  readonly problems: readonly string[];
  /** What csi-sanity and the driver said, for when something failed. */
  readonly said: string;
}

const MiB = 2 ** 20;
/** Few, so that the spec which fills a node does so at once. */
const maxVolumesPerNode = 3;

/** Runs every spec against a driver of its own, on a socket and a pool in a temporary folder that is gone afterwards. */
export async function runSanity(
  { backend, accessType, mutableParameters }: Target,
  signal: AbortSignal,
): Promise<Outcome> {
  // The real path: mountinfo and losetup know no other.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-sanity-')));
  const problems: string[] = [];
  let said = '';
  let results: SpecResult[] = [];
  try {
    const endpoint = `unix://${join(folder, 'csi.sock')}`;
    const pool = join(folder, 'pool');
    const driver =
      backend === 'sample'
        ? await startDriver('sample', [], { CSI_ENDPOINT: endpoint, NODE_ID: 'sanity-node', POOL: pool })
        : await startDriver('driver', [
            `--backend=${backend}`,
            `--endpoint=${endpoint}`,
            `--pool-dir=${pool}`,
            '--node-id=sanity-node',
            `--max-volumes-per-node=${maxVolumesPerNode}`,
          ]);
    try {
      const report = join(folder, 'junit.xml');
      const mutable = join(folder, 'mutable-parameters.yaml');
      // JSON is YAML.
      writeFileSync(mutable, JSON.stringify(mutableParameters ?? {}));
      const ran = await runCsiSanity(
        [
          `--csi.endpoint=${endpoint}`,
          `--csi.mountdir=${join(folder, 'target')}`,
          `--csi.stagingdir=${join(folder, 'staging')}`,
          `--csi.testvolumeaccesstype=${accessType}`,
          `--csi.testvolumesize=${32 * MiB}`,
          `--csi.testvolumeexpandsize=${64 * MiB}`,
          '--csi.testnodevolumeattachlimit',
          ...(mutableParameters === undefined ? [] : [`--csi.testvolumemutableparameters=${mutable}`]),
          // A driver that does not answer fails its spec here instead of after ginkgo's hour.
          '--ginkgo.timeout=10m',
          `--ginkgo.junit-report=${report}`,
          '--ginkgo.no-color',
        ],
        signal,
      );
      said += ran.output;
      results = readJunitReport(readText(report));
      const hasFailedSpecs = results.some(({ kind }) => kind === 'failed');
      if (ran.code !== 0 && !hasFailedSpecs) problems.push(`csi-sanity ended with exit code ${ran.code}`);
    } finally {
      const code = await driver.stop();
      if (code !== 0) problems.push(`the driver ended with exit code ${code} on SIGTERM`);
      said += `\nThe driver's log:\n${driver.log()}`;
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    try {
      for (const left of await removeLeftovers(folder)) problems.push(`left behind (and removed now): ${left}`);
    } catch (error) {
      problems.push(`${folder} could not be removed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { results, problems, said };
}

/** In a process group of its own, so that Ctrl-C reaches it once: its second interrupt skips its cleaning up. */
async function runCsiSanity(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  signal.throwIfAborted();
  const child = spawn(referenceProgram('csi-sanity'), args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const interrupt = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt, { once: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  try {
    return { code: await exitOf(child), output };
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
