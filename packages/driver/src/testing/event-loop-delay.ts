// Loaded into the driver's process (`--import`): measures how long its event loop was kept, from the first SIGUSR2 to the end, and
// writes that to a file.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env.EVENT_LOOP_DELAY_FILE ?? '';
const delay = monitorEventLoopDelay({ resolution: 5 });
process.on('SIGUSR2', () => delay.enable());
process.on('exit', () => {
  const inMs = (nanoseconds: number): number => Math.round(nanoseconds / 1e5) / 10;
  const { count, max } = delay;
  writeFileSync(
    file,
    JSON.stringify({ count, p50: inMs(delay.percentile(50)), p99: inMs(delay.percentile(99)), max: inMs(max) }),
  );
});
