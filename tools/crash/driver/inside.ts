// In a mount namespace of its own: plays every act, several at once. The last line is "points N, violations M".
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acts } from './acts.ts';
import { sweepAct } from './sweep.ts';

const AT_ONCE = 3;
const [file = '', footing = 'root', only = ''] = process.argv.slice(2);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());

const compileCache = mkdtempSync(join(tmpdir(), 'holdfast-points-cache-'));
// Loop devices are root's; a folder is bound in a user namespace as well.
const chosen = acts.filter((actIn) => {
  const { name, backend } = actIn('/');
  return name.includes(only) && (footing === 'root' || backend === 'dir');
});
const waiting = [...chosen];
let points = 0;
let violations = 0;

async function playNext(): Promise<void> {
  for (let actIn = waiting.shift(); actIn !== undefined && !stop.signal.aborted; actIn = waiting.shift()) {
    const started = performance.now();
    const report = await sweepAct({ file, compileCache, actIn, signal: stop.signal });
    for (const violation of report.violations) console.log(`VIOLATION ${violation}`);
    points += report.points;
    violations += report.violations.length;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${actIn('/').name}: points ${report.points}, violations ${report.violations.length}, ${seconds} s`);
  }
}

try {
  await Promise.all(Array.from({ length: AT_ONCE }, playNext));
} finally {
  rmSync(compileCache, { recursive: true, force: true });
}
console.log(`points ${points}, violations ${violations}`);
process.exitCode = stop.signal.aborted ? 130 : 0;
