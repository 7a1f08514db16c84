// `npm run test:sanity`, or `npm run test:sanity -- disk`: csi-sanity, the conformance suite of the CSI project, against the driver as a real process on a real socket.
// The last line is "N passed, N failed, N skipped"; a spec counts as one, and so does anything else that goes wrong.
//
// The first process builds csi-sanity if need be and starts this file again in a mount namespace of its own.
import { spawn } from 'node:child_process';
import { buildReference } from '../reference/build.ts';
import { exitOf } from './driver-process.ts';
import { findFooting, namespaceArgs } from './footing.ts';
import { runSanity, type Target } from './run.ts';
import { sortSkipped } from './skipped-specs.ts';

const insideVariable = 'HOLDFAST_SANITY_FOOTING';
const disk = { backend: 'disk', required: 'all', mutableParameters: { label: 'sanity', readAheadKiB: '256' } } as const;
const dir = {
  backend: 'dir',
  accessType: 'mount',
  required: [
    'controller EXPAND_VOLUME',
    'controller GET_CAPACITY',
    'controller LIST_VOLUMES',
    'node GET_VOLUME_STATS',
    'node SINGLE_NODE_MULTI_WRITER',
    'controller CREATE_DELETE_SNAPSHOT',
    'controller LIST_SNAPSHOTS',
    'controller GET_SNAPSHOT',
    'controller CLONE_VOLUME',
    'plugin SNAPSHOT_ACCESSIBILITY_CONSTRAINTS',
  ],
} as const;
const sample = { backend: 'sample', accessType: 'mount', required: ['node GET_VOLUME_STATS'] } as const;
const targetsOf: Readonly<Record<'root' | 'user', readonly Target[]>> = {
  root: [{ ...disk, accessType: 'mount' }, { ...disk, accessType: 'block' }, dir, sample],
  user: [dir, sample],
};

const chosen = process.argv.slice(2);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());

const inside = process.env[insideVariable];
process.exitCode =
  inside === 'root' || inside === 'user'
    ? await runAll(targetsOf[inside].filter(({ backend }) => chosen.length === 0 || chosen.includes(backend)))
    : await enterNamespace();

async function enterNamespace(): Promise<number> {
  const unexpected = chosen.find((name) => !['disk', 'dir', 'sample'].includes(name));
  if (unexpected !== undefined) {
    console.error(`sanity: unknown argument ${unexpected}; name disk, dir or sample, or none for all`);
    return 2;
  }
  const footing = findFooting();
  if (footing.kind === 'impossible') {
    console.error(`sanity: cannot run: ${footing.reason}`);
    return 1;
  }
  try {
    const { failed } = await buildReference(['csi-sanity'], { say: console.log, signal: stop.signal });
    if (failed.length > 0) return 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`sanity: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  if (footing.kind === 'user' && chosen.length > 0 && chosen.every((name) => name === 'disk')) {
    console.error('sanity: disk needs root (loop devices)');
    return 1;
  }
  if (footing.kind === 'user') {
    console.log(
      'not root: only dir and the sample are tested, in a user namespace; run this as root for disk (loop devices)',
    );
  }
  const args = [...namespaceArgs(footing.kind), process.execPath, ...process.argv.slice(1)];
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [insideVariable]: footing.kind } });
  // Ctrl-C reaches the child by itself, which then cleans up; a lone SIGTERM is passed on.
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return (await exitOf(child)) ?? 1;
}

async function runAll(targets: readonly Target[]): Promise<number> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const target of targets) {
    if (stop.signal.aborted) break;
    const counts = await runOne(target);
    passed += counts.passed;
    failed += counts.failed;
    skipped += counts.skipped;
  }
  if (stop.signal.aborted) {
    console.log('\nstopped before the end');
    return 130;
  }
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

async function runOne(target: Target): Promise<{ passed: number; failed: number; skipped: number }> {
  console.log(`\n── csi-sanity against ${target.backend}, volumes of access type ${target.accessType}`);
  const started = performance.now();
  const { results, problems, said } = await runSanity(target, stop.signal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (stop.signal.aborted) {
    for (const problem of problems) console.log(problem);
    return { passed: 0, failed: 0, skipped: 0 };
  }

  const { byCapability, unexplained } = sortSkipped(results, target.required);
  for (const [capability, names] of byCapability) {
    console.log(`skipped for lack of ${capability}: ${names.length}`);
    for (const name of names) console.log(`    ${name}`);
  }
  for (const { kind, name } of results) if (kind === 'pending') console.log(`switched off in csi-sanity:\n    ${name}`);

  const failures = [
    ...results.flatMap((result) => (result.kind === 'failed' ? [`${result.name}: ${result.message}`] : [])),
    ...unexplained.map(
      ({ name, reason }) => `${name}: skipped, though no capability that may be lacking is the reason: ${reason}`,
    ),
    ...problems,
  ];
  const passed = results.filter(({ kind }) => kind === 'passed').length;
  if (passed === 0 && failures.length === 0) failures.push('no spec ran');
  if (failures.length > 0) console.log(`\n${said.trimEnd()}\n`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  const skipped = results.filter(({ kind }) => kind === 'skipped').length - unexplained.length;
  console.log(
    `── ${target.backend} (${target.accessType}): ${passed} passed, ${failures.length} failed, ${skipped} skipped in ${seconds} s`,
  );
  return { passed, failed: failures.length, skipped };
}
