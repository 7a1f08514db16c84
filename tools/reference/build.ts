// Builds the reference programs with the machine's Go, as Go is set up there (proxy, caches, toolchain).
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, keepCopy, keptCopy } from './cache.ts';
import { buildArguments, goModText, stampText, type Wanted, wantedModules } from './go-module.ts';
import { goVersion, type ReferenceModule, referenceModules } from './versions.ts';

const tools = join(import.meta.dirname, '..');
const folder = join(tools, '..', '.holdfast', 'reference');

/** Two at a time: one downloads or links, on one core, while the other compiles. More of them only want more memory. */
const modulesAtOnce = 2;
const heartbeatMs = 30_000;

export function referenceProgram(program: string): string {
  return join(folder, 'bin', program);
}

export function hasGo(): boolean {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
}

export const goIsMissing =
  `there is no Go on the PATH; install Go ${goVersion} or newer (https://go.dev/dl) to build the reference programs. ` +
  'Nothing else in Holdfast needs it.';

export interface Built {
  readonly built: readonly string[];
  readonly present: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Builds what is missing or of another version; no names: all.
 * @throws Error for a name that is not in the version table, and when Go is missing but needed
 */
export async function buildReference(
  names: readonly string[],
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<Built> {
  const wanted = wantedModules(referenceModules, names);
  const programs = wanted.flatMap((each) => each.programs);
  const absent = lacking(wanted).flatMap((each) => each.programs);
  const present = programs.filter((program) => !absent.includes(program));
  if (present.length > 0) say(`already built: ${present.join(', ')}`);
  const cache = cacheFolder(process.env);
  for (const { module, programs: asked } of wanted) for (const program of asked) exchange(cache, module, program);
  const missing = lacking(wanted);
  const missingNames = missing.flatMap((each) => each.programs);
  const taken = absent.filter((program) => !missingNames.includes(program));
  if (taken.length > 0) say(`taken from ${cache}: ${taken.join(', ')}`);
  if (missing.length > 0 && !hasGo()) throw new Error(goIsMissing);

  const built: string[] = [];
  const failed: string[] = [];
  const queue = [...missing];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const isBuilt = await buildModule(next, { say, signal });
      (isBuilt ? built : failed).push(...next.programs);
    }
  };
  await Promise.all(Array.from({ length: modulesAtOnce }, worker));
  signal.throwIfAborted();
  for (const { module, programs: asked } of missing) for (const program of asked) exchange(cache, module, program);
  return { built, present: [...present, ...taken], failed };
}

const stampFile = (program: string): string => join(folder, 'stamps', program);

function lacking(wanted: readonly Wanted[]): Wanted[] {
  return wanted
    .map(({ module, programs }) => ({ module, programs: programs.filter((program) => !isPresent(module, program)) }))
    .filter(({ programs }) => programs.length > 0);
}

function isPresent(module: ReferenceModule, program: string): boolean {
  const stamp = stampFile(program);
  if (!existsSync(stamp) || !existsSync(referenceProgram(program))) return false;
  return readFileSync(stamp, 'utf8') === stampOf(module, program);
}

function stampOf(module: ReferenceModule, program: string): string {
  const { source } = module;
  return stampText(module, program, source === undefined ? [] : [readFileSync(join(tools, source), 'utf8')]);
}

/** Takes a program that is missing here from the cache, or puts one that is missing there into it. */
function exchange(cache: string | undefined, module: ReferenceModule, program: string): void {
  const file = referenceProgram(program);
  const stamp = stampOf(module, program);
  if (isPresent(module, program)) {
    keepCopy({ cache, program, stamp, file });
    return;
  }
  for (const made of [join(folder, 'bin'), join(folder, 'stamps')]) mkdirSync(made, { recursive: true });
  if (keptCopy({ cache, program, stamp, file })) writeFileSync(stampFile(program), stamp);
}

async function buildModule(
  { module, programs }: Wanted,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<boolean> {
  const title = `${programs.join(', ')} ${module.version}`;
  const sources = join(folder, 'modules', module.name);
  for (const made of [sources, join(folder, 'bin'), join(folder, 'stamps')]) mkdirSync(made, { recursive: true });
  writeFileSync(join(sources, 'go.mod'), goModText(module));
  if (module.source !== undefined) cpSync(join(tools, module.source), join(sources, 'main.go'));
  // Built aside and moved: a build that was stopped leaves no half a program behind.
  const aside = mkdtempSync(join(folder, '.building-'));
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  say(`${title}: building`);
  const heartbeat = setInterval(() => say(`${title}: still building after ${seconds()}`), heartbeatMs);
  try {
    const { code, output } = await runGo(buildArguments(module, programs, aside), { cwd: sources, signal });
    if (code !== 0) {
      if (!signal.aborted) say(`${title}: FAILED after ${seconds()}; go said:\n${output}`);
      return false;
    }
    for (const program of programs) {
      renameSync(join(aside, program), referenceProgram(program));
      writeFileSync(stampFile(program), stampOf(module, program));
    }
    const sizes = programs.map((program) => statSync(referenceProgram(program)).size / 2 ** 20);
    say(`${title}: built in ${seconds()} (${sizes.map((size) => `${size.toFixed(0)} MiB`).join(', ')})`);
    return true;
  } finally {
    clearInterval(heartbeat);
    rmSync(aside, { recursive: true, force: true });
  }
}

/** The output is the end of what Go said: its "downloading" and "finding" lines are of no use to anyone. */
async function runGo(
  args: readonly string[],
  { cwd, signal }: { cwd: string; signal: AbortSignal },
): Promise<{ code: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const lines: string[] = [];
  // Without cgo the programs are the same whether or not there is a C compiler. A go.work above the folder is none of theirs.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const child = spawn('go', args, { cwd, env, signal, killSignal: 'SIGTERM', stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  }
  child.on('error', (error) => lines.push(error.message));
  child.on('close', (code) => resolve(code ?? 1));
  const code = await promise;
  const said = lines
    .join('')
    .split('\n')
    .filter((line) => line !== '' && !/^go: (downloading|finding|found) /.test(line));
  return { code, output: said.slice(-20).join('\n') };
}
