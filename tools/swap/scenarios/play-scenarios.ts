// The scenarios of tools/scenarios, with real driver, kubelets and mounts: with ours, and with each Go sidecar in its place.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { SidecarName } from '../../rig/contract.ts';
import { makeTemporaryFolder } from '../../rig/temporary-folder.ts';
import { captureVariable, roundFolder } from '../../scenarios/capture-folder.ts';
import type { Options } from '../options.ts';
import type { Result } from '../report.ts';
import { compareScenarios } from './compare-captures.ts';
import { readRound } from './read-round.ts';

const suite = join(import.meta.dirname, '..', '..', 'scenarios', 'main.ts');

// A volume's whole life: attached, detached, grown while it is attached; and one that is never used. What no case has: storage capacity,
// and a provisioner for each node.
const shortFiles = ['provisioning', 'expansion', 'capacity', 'node-deployment'];
const shortNames =
  '^(immediate binding|binding for the first consumer|expansion while the volume is in use|storage capacity, .*|a provisioner on each node)$';

const makersText = (name: SidecarName): string => `${name}=upstream`;

export async function compareInScenarios(options: Options, signal: AbortSignal): Promise<Result[]> {
  const temporary = options.keep === undefined ? makeTemporaryFolder('captures') : undefined;
  const folder = temporary?.path ?? join(options.keep ?? '', 'scenarios');
  try {
    const code = await play(options, folder, signal);
    const ours = readRound(roundFolder(folder, ''));
    const rounds = options.only.map((name) => ({ name, theirs: readRound(roundFolder(folder, makersText(name))) }));
    const results = [
      ...problemResults('the scenarios with ours', ours.problems),
      ...rounds.flatMap(({ name, theirs }) => [
        ...problemResults(`the scenarios with the Go ${name}`, theirs.problems),
        ...compareScenarios(name, ours.scenarios, theirs.scenarios),
      ]),
    ];
    const isExplained = [ours, ...rounds.map(({ theirs }) => theirs)].some(
      ({ scenarios, problems }) => problems.length > 0 || [...scenarios.values()].some(({ kind }) => kind === 'failed'),
    );
    if (code !== 0 && !isExplained)
      results.push(...problemResults('the scenarios', [`their process ended with ${code}`]));
    // A name that fits no scenario is a mistake.
    if (results.length === 0) results.push(...problemResults('the scenarios', ['none was played']));
    return results;
  } finally {
    temporary?.remove();
  }
}

function problemResults(title: string, problems: readonly string[]): Result[] {
  return problems.length === 0 ? [] : [{ title, differences: [], failure: problems.join('\n') }];
}

/** @returns the exit code; most of what went wrong is in the reports of the rounds */
async function play(
  { only, cluster, isShort, scenario }: Options,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const rounds = ['', ...only.map(makersText)].map((text) => `--sidecars=${text}`);
  const short = scenario === '' && isShort;
  const chosen = short ? [...shortFiles, '-t', shortNames] : scenario === '' ? [] : ['-t', scenario];
  const child = spawn(process.execPath, [suite, `--cluster=${cluster}`, ...rounds, ...chosen], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, [captureVariable]: folder },
  });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  return code;
}
