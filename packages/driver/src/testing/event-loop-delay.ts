// Loaded into the driver's process (`--import`): measures how long its event loop was kept, from the first SIGUSR2 to the end, and
// writes that to a file. On a busy machine a loop is late because its thread, or the child that it starts, waits for the processor: what
// its own work took is told as well, by the thread's processor time from one turn to the next.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env.EVENT_LOOP_DELAY_FILE ?? '';
const resolutionMs = 5;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let longestWorkMicros = 0;

process.on('SIGUSR2', () => {
  delay.enable();
  let before = process.threadCpuUsage();
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestWorkMicros = Math.max(longestWorkMicros, user + system);
  }, resolutionMs).unref();
});
process.on('exit', () => {
  const inMs = (nanoseconds: number): number => Math.round(nanoseconds / 1e5) / 10;
  const { count, max } = delay;
  writeFileSync(
    file,
    JSON.stringify({
      count,
      p50: inMs(delay.percentile(50)),
      p99: inMs(delay.percentile(99)),
      max: inMs(max),
      work: inMs(longestWorkMicros * 1000),
    }),
  );
});
