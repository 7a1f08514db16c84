// `npm run reference [-- PROGRAM…]`: builds the programs that Holdfast is compared with into .holdfast/reference/bin.
import { buildReference, referenceProgram } from './build.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
const say = (line: string): void => console.log(`reference: ${line}`);

try {
  const { failed } = await buildReference(process.argv.slice(2), { say, signal: stop.signal });
  if (failed.length > 0) {
    say(`not built: ${failed.join(', ')}`);
    process.exitCode = 1;
  } else {
    say(`the programs are in ${referenceProgram('')}`);
  }
} catch (error) {
  if (stop.signal.aborted) say('stopped; what was built is kept');
  else console.error(`reference: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
