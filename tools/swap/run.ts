import type { Cluster, SidecarName } from '../rig/contract.ts';
import { addCustomKinds } from '../rig/custom-kinds.ts';
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { startSandboxCluster } from '../rig/sandbox-cluster.ts';
import type { Case } from './case.ts';
import { attacherCases } from './cases/attacher.ts';
import { inTreeCase } from './cases/in-tree.ts';
import { modifyCases } from './cases/modify.ts';
import { provisionerCases } from './cases/provisioner.ts';
import { resizerCases } from './cases/resizer.ts';
import { sourceCases } from './cases/sources.ts';
import { compareCases } from './compare-cases.ts';
import { compareProgramFlags } from './flags/programs.ts';
import type { Options } from './options.ts';
import { type Result, report } from './report.ts';
import { rollOver } from './rollover/rollover.ts';
import { compareInScenarios } from './scenarios/play-scenarios.ts';
import { applyAccounts, sidecarNames } from './sidecars.ts';

const cases: Readonly<Record<SidecarName, readonly Case[]>> = {
  provisioner: [...provisionerCases, ...sourceCases, inTreeCase('provisioner')],
  attacher: [...attacherCases, inTreeCase('attacher')],
  resizer: [...resizerCases, ...modifyCases, inTreeCase('resizer')],
};
// The loops that the cases need. What attaches, schedules and watches nodes would take part in the play.
const controllers = [
  'persistentvolume-binder-controller',
  'persistentvolume-expander-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'serviceaccount-controller',
];

/** @returns the exit code */
export async function runSwap(options: Options, signal: AbortSignal): Promise<number> {
  const results: Result[] = [];
  if (options.part !== 'scenarios') results.push(...(await besideScriptedDriver(options, signal)));
  if (options.part !== 'rollover' && options.named === '') {
    console.log('── scenarios');
    results.push(...(await compareInScenarios(options, signal)));
  }
  return report(results, { isWhole: isWhole(options) });
}

async function besideScriptedDriver(options: Options, signal: AbortSignal): Promise<Result[]> {
  const results: Result[] = options.only.map((name) => ({
    title: `flags of csi-${name}`,
    differences: compareProgramFlags(name),
  }));
  const began = performance.now();
  const isSandbox = options.cluster === 'sandbox';
  const cluster = isSandbox
    ? await startSandboxCluster({ signal })
    : await startKubernetesCluster({ signal, controllers });
  try {
    console.log(`── cluster is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    await applyAccounts(cluster);
    await addCustomKinds(cluster, signal);
    if (options.part === undefined) {
      const chosen = chosenCases(options);
      for (const company of ['ours', 'upstream'] as const) {
        results.push(...(await compareCases({ company, cases: chosen, cluster, options, signal })));
      }
    }
    if (!options.isShort && options.named === '') results.push(...(await rollOverAll(cluster, options, signal)));
  } finally {
    await cluster.stop();
  }
  return results;
}

function chosenCases({ only, named, isShort }: Options): Case[] {
  return only
    .flatMap((name) => cases[name])
    .filter((each) => each.name.includes(named) && (!isShort || each.isShort === true));
}

function isWhole({ only, named, isShort, part, cluster }: Options): boolean {
  return (
    !isShort && part === undefined && named === '' && cluster === 'kubernetes' && only.length === sidecarNames.length
  );
}

async function rollOverAll(cluster: Cluster, { only }: Options, signal: AbortSignal): Promise<Result[]> {
  console.log('── roll-over');
  const results: Result[] = [];
  for (const about of only) {
    for (const first of ['upstream', 'ours'] as const) {
      for (const { title, problems } of await rollOver({ cluster, about, first, signal })) {
        console.log(`  ${title} (${problems.length === 0 ? 'passed' : 'failed'})`);
        results.push({ title, differences: [], ...(problems.length === 0 ? {} : { failure: problems.join('\n') }) });
      }
    }
  }
  return results;
}
