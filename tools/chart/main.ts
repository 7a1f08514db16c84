// `npm run test:chart`: the Helm chart is linted, rendered under several value sets and compared with what is kept, shown to a real
// API server, installed, upgraded and uninstalled there. `-- --update` keeps what is rendered now.
// The last line is "N passed, N failed".
import { buildReference } from '../reference/build.ts';
import { checkRendering } from './checks.ts';
import { createLedger } from './ledger.ts';
import { checkOnCluster } from './on-cluster.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--update');
  if (unknown !== undefined) {
    console.error(`test:chart: unknown argument ${unknown}; there is only --update`);
    return 2;
  }
  const { signal } = stop;
  const ledger = createLedger(console.log);
  try {
    const { failed } = await buildReference(['helm', 'kubectl'], { say: console.log, signal });
    if (failed.length > 0) return 1;
    console.log('── rendering');
    await checkRendering(ledger, { isUpdate: args.includes('--update'), signal });
    console.log('── on a Kubernetes API server');
    await checkOnCluster(ledger, signal);
  } catch (error) {
    if (signal.aborted) return 130;
    ledger.count('the run itself', error instanceof Error ? error.message : String(error));
  }
  console.log(`\n${ledger.summary()}`);
  return ledger.hasFailed() ? 1 : 0;
}
