// `npm run test:differential [-- --only TOPIC] [-- --seed N] [-- --show-accepted]`: the sandbox's API server beside etcd and kube-apiserver, the same
// requests to both. The last line is "N passed, N failed"; a request counts as one.

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { goIsMissing, hasGo, referenceProgram } from '../reference/build.ts';
import { acceptedDifferences } from './accepted.ts';
import { topics } from './catalogue/all.ts';
import { type Difference, describe } from './compare.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createTelling } from './run-script.ts';
import type { Step, Topic } from './script.ts';
import { tellSequences } from './sequences.ts';
import { type Servers, startServers } from './servers.ts';

const sequencesName = 'sequences';
const sequences = 30;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  if (!['etcd', 'kube-apiserver'].every((name) => existsSync(referenceProgram(name))) && !hasGo()) {
    console.error(`differential: ${goIsMissing}`);
    return 1;
  }
  try {
    const servers = await startServers(stop.signal);
    try {
      return await compare(servers, options);
    } finally {
      await servers.stop();
    }
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`differential: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

interface Options {
  readonly only: string | undefined;
  readonly seed: number | undefined;
  /** Prints what is accepted too, place by place. */
  readonly showsAccepted: boolean;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, seed: { type: 'string' }, 'show-accepted': { type: 'boolean' } },
    });
    const seed = values.seed === undefined ? undefined : Number(values.seed);
    if (seed !== undefined && !Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is no whole number`);
    const names = [...topics.map(({ name }) => name), sequencesName];
    if (values.only !== undefined && !names.includes(values.only)) {
      throw new Error(`--only ${values.only} is no topic; there are: ${names.join(', ')}`);
    }
    return { only: values.only, seed, showsAccepted: values['show-accepted'] === true };
  } catch (error) {
    console.error(`differential: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function compare(servers: Servers, { only, seed, showsAccepted }: Options): Promise<number> {
  const ledger = createLedger(acceptedDifferences);
  for (const topic of topics) {
    if (only !== undefined && topic.name !== only) continue;
    stop.signal.throwIfAborted();
    await tellTopic(servers, topic, ledger, showsAccepted);
  }
  if (only === undefined || only === sequencesName) await tellRandom(servers, ledger, seed ?? Date.now() % 2 ** 31);
  const stale = only === undefined ? ledger.unused() : [];
  for (const { what } of stale) console.log(`FAILED accepted, but met nowhere any more: ${what}`);
  const failed = ledger.failed + stale.length;
  console.log(`\n${ledger.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function tellRandom(servers: Servers, ledger: Ledger, seed: number): Promise<void> {
  const started = performance.now();
  console.log(`sequences: the same again with --only ${sequencesName} --seed ${seed}`);
  const open = (where: string, differences: readonly Difference[]) => ledger.open(where, differences);
  const { requests, failure } = await tellSequences(servers, { seed, runs: sequences, signal: stop.signal, open });
  if (failure !== undefined) console.log(`FAILED sequences, the shortest story found:\n${failure}`);
  ledger.add({ passed: requests, failed: failure === undefined ? 0 : 1 });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`── ${sequencesName}: ${requests} requests in ${seconds} s`);
}

async function tellTopic(servers: Servers, topic: Topic, ledger: Ledger, showsAccepted: boolean): Promise<void> {
  const started = performance.now();
  const before = { passed: ledger.passed, failed: ledger.failed };
  for (const [index, script] of topic.scripts.entries()) {
    const namespace = `d-${topic.name}-${index}`;
    const telling = createTelling(servers, namespace);
    const open: Step = { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } };
    for (const step of [open, ...script.steps]) {
      stop.signal.throwIfAborted();
      const { differences } = await telling.send(step);
      const body = step.body === undefined ? '' : ` ${bodyText(step)}`;
      const accept = step.headers?.['accept'];
      const asked = accept === undefined ? '' : ` (accept ${accept})`;
      const where = `${topic.name} / ${script.title} / ${step.method} ${step.path}${asked}${body}`;
      const unaccepted = ledger.enter(where, differences);
      if (showsAccepted) {
        for (const difference of differences) console.log(`differs: ${where} / ${describe(difference)}`);
      }
      if (unaccepted.length === 0) continue;
      console.log(`FAILED ${where.length > 400 ? `${where.slice(0, 400)}…` : where}`);
      for (const line of unaccepted) console.log(`    ${line}`);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `── ${topic.name}: ${ledger.passed - before.passed} passed, ${ledger.failed - before.failed} failed in ${seconds} s`,
  );
}

function bodyText({ body }: Step): string {
  if (typeof body === 'function') return '(made of an earlier reply)';
  return (typeof body === 'string' ? body : JSON.stringify(body)).replaceAll('\n', ' ');
}
