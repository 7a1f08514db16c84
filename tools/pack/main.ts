// `npm run pack`: the file of every package, as it is published, in .holdfast/packages. `-- --repository=https://HOST/OWNER/NAME`
// writes into each where its sources are, which a registry demands before it vouches for a package's origin.
import { join, relative } from 'node:path';
import { pack } from './pack.ts';
import { sizeTable } from './size-table.ts';

const root = join(import.meta.dirname, '..', '..');
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const given = args.map((arg) => /^--repository=(https:\/\/[^\s]+?)(?:\.git|\/)?$/.exec(arg)?.[1]);
  if (given.includes(undefined) || given.length > 1) {
    console.error('usage: npm run pack [-- --repository=https://HOST/OWNER/NAME]');
    return 2;
  }
  try {
    const tarballs = await pack({ root, repository: given[0], signal: stop.signal });
    console.log(sizeTable(tarballs));
    console.log(`\n${tarballs.length} packages are in ${relative(root, join(root, '.holdfast', 'packages'))}`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`npm run pack: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
