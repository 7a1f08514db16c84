import { parseArgs } from 'node:util';
import type { Maker } from '../rig/contract.ts';

export const operations = ['provision', 'attach', 'detach', 'expand', 'modify', 'delete'] as const;
export type Operation = (typeof operations)[number];

/** What goes on for minutes because the driver is slow, or fails. Measured once, and only when asked for. */
export const troubles = ['slow-attach', 'failing-attach', 'failing-expand'] as const;
export type Trouble = (typeof troubles)[number];

/** What can be asked for with --only: an operation, or one of the parts that are not about a number of objects. */
const usualParts = [...operations, 'full', 'reflector', 'node'] as const;
const parts = [...usualParts, 'one-process', ...troubles] as const;
export type Part = (typeof parts)[number];

/** How much is asked of the sidecars, and with which flags they run. */
export interface Load {
  readonly profile: 'default' | 'unlimited';
  readonly objects: number;
}

/** The driver under the sidecars: volumes in memory, the project's disks, a driver that serves already, or one to start. */
export type DriverChoice =
  | { readonly kind: 'memory' }
  /** Answers late, or fails every attachment and expansion. */
  | { readonly kind: 'troubled'; readonly attachMs: number; readonly isFailing: boolean }
  | { readonly kind: 'disk' }
  | { readonly kind: 'running'; readonly address: string }
  | { readonly kind: 'command'; readonly command: readonly string[] };

export interface BenchArguments {
  readonly parts: ReadonlySet<Part>;
  readonly loads: readonly Load[];
  readonly runs: number;
  readonly makers: readonly Maker[];
  readonly fullClaims: number;
  /** Of --n; undefined: each part has its own. */
  readonly objects: number | undefined;
  /** How long a part with a failing driver lasts. */
  readonly failingMs: number;
  readonly slowAttachMs: number;
  /** Where the Go sidecars of nodes are, which are not published as Go modules. */
  readonly upstreamNodeFolder: string | undefined;
  readonly driver: DriverChoice;
  readonly nodeId: string;
  /** Topology of the one node, for a driver without a node service. */
  readonly topology: Readonly<Record<string, string>>;
  /** Of the StorageClass. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the VolumeAttributesClass that volumes are modified with. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly size: string;
  readonly grownSize: string;
  readonly isJson: boolean;
  /** What earlier runs with --json printed. */
  readonly earlierFiles: readonly string[];
  readonly writesDocs: boolean;
  /** For our sidecars. */
  readonly nodeFlags: readonly string[];
  /** Where our sidecars leave their CPU profiles. */
  readonly profileFolder: string | undefined;
}

export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

export const usage = `npm run bench -- [options]

Our sidecars and the Go ones, in turn, on the same control plane, driver and load. Ratios are ours to theirs.

  --only=PART,…           of ${parts.join(', ')}; default: all but the last
                          ${parts.length - usualParts.length}, which take minutes; --only=all is all.
                          What a part needs beforehand (a volume to attach) is done too, and not measured
  --n=N                   so many objects, without client-side limits, instead of 50 with default flags and 1,000 without limits
  --profile=PROFILE       flags of the sidecars with --n: default or unlimited; default: unlimited
  --runs=N                runs of each maker; the order alternates; default: 3, and with --n 1: a quick look
  --makers=MAKER,…        of ours, upstream; default: both
  --full-claims=N         bound claims of the parts "full" and "one-process", half of them attached; default: 10,000
  --failing-seconds=N     how long the driver fails in failing-attach and failing-expand; default: 60
  --slow-seconds=N        how long an attachment takes in slow-attach; default: 15
  --upstream-node=FOLDER  where the Go programs livenessprobe and csi-node-driver-registrar are, for the part "node"
  --driver=DRIVER         memory (volumes in a map: what is measured is the sidecars) or disk (holdfast-driver); default: memory
  --csi-address=ADDRESS   a driver that serves already, instead of those
  --driver-command=WORDS  a driver to start, instead of those; {endpoint} stands for the socket, also in CSI_ENDPOINT
  --node-id=ID            the node that volumes are attached to; default: what NodeGetInfo says, or bench-node
  --topology=KEY=VALUE,…  the node's topology, for a driver whose NodeGetInfo cannot be asked
  --parameters=KEY=VALUE,…  of the StorageClass
  --attributes=KEY=VALUE,…  of the VolumeAttributesClass of "modify"; default: iops=500
  --size=QUANTITY, --grown-size=QUANTITY  default: 64Mi and 128Mi
  --json                  print everything measured as JSON, instead of tables
  --with=FILE             add what an earlier run printed with --json, of what this one does not measure; may be repeated
  --write-docs            write docs/benchmarks.md from this run
  --node-flags=FLAG,…     flags of Node for our sidecars, such as --max-semi-space-size=4
  --cpu-profiles=FOLDER   let our sidecars leave CPU profiles there (their figures suffer a little)
  --help`;

const optionTypes = {
  only: { type: 'string' },
  n: { type: 'string' },
  profile: { type: 'string' },
  runs: { type: 'string' },
  makers: { type: 'string' },
  'full-claims': { type: 'string' },
  'failing-seconds': { type: 'string' },
  'slow-seconds': { type: 'string' },
  'upstream-node': { type: 'string' },
  driver: { type: 'string' },
  'csi-address': { type: 'string' },
  'driver-command': { type: 'string' },
  'node-id': { type: 'string' },
  topology: { type: 'string' },
  parameters: { type: 'string' },
  attributes: { type: 'string' },
  size: { type: 'string' },
  'grown-size': { type: 'string' },
  json: { type: 'boolean' },
  with: { type: 'string', multiple: true },
  'write-docs': { type: 'boolean' },
  'node-flags': { type: 'string' },
  'cpu-profiles': { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** @throws ArgumentError that names the argument and what it may be */
export function parseArguments(argv: readonly string[]): BenchArguments | 'help' {
  const values = readOptions(argv);
  if (values.help) return 'help';
  if (values.profile !== undefined && values.n === undefined) {
    throw new ArgumentError('--profile goes with --n; give the number of objects too, such as --n=200');
  }
  const chosen = chosenParts(values.only);
  return {
    parts: new Set(chosen),
    loads: loadsOf(values.n, values.profile),
    runs: wholeNumber('--runs', values.runs) ?? (values.n === undefined ? 3 : 1),
    makers: oneOfEach('--makers', values.makers, ['ours', 'upstream'] as const),
    fullClaims: wholeNumber('--full-claims', values['full-claims']) ?? 10_000,
    objects: wholeNumber('--n', values.n),
    failingMs: 1000 * (wholeNumber('--failing-seconds', values['failing-seconds']) ?? 60),
    slowAttachMs: 1000 * (wholeNumber('--slow-seconds', values['slow-seconds']) ?? 15),
    upstreamNodeFolder: values['upstream-node'],
    driver: driverOf(values),
    nodeId: values['node-id'] ?? '',
    topology: pairs('--topology', values.topology),
    parameters: pairs('--parameters', values.parameters),
    attributes: pairs('--attributes', values.attributes ?? 'iops=500'),
    size: values.size ?? '64Mi',
    grownSize: values['grown-size'] ?? '128Mi',
    isJson: values.json ?? false,
    earlierFiles: values.with ?? [],
    writesDocs: values['write-docs'] ?? false,
    nodeFlags: nodeFlagsOf(values['node-flags']),
    profileFolder: values['cpu-profiles'],
  };
}

function chosenParts(only: string | undefined): readonly Part[] {
  if (only === undefined) return usualParts;
  return only === 'all' ? parts : oneOfEach('--only', only, parts);
}

function nodeFlagsOf(text: string | undefined): readonly string[] {
  const flags = text === undefined || text === '' ? [] : text.split(',');
  const foreign = flags.find((flag) => !flag.startsWith('-'));
  if (foreign === undefined) return flags;
  throw new ArgumentError(`--node-flags has "${foreign}", which is no flag; flags begin with a dash`);
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: optionTypes, strict: true }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ', 1).join('') : String(error);
    throw new ArgumentError(`${reason}; --help lists the options`);
  }
}

function oneOfEach<T extends string>(option: string, text: string | undefined, allowed: readonly T[]): readonly T[] {
  if (text === undefined) return allowed;
  const words = text.split(',');
  const unknown = words.find((word) => !allowed.some((name) => name === word));
  if (unknown !== undefined) {
    throw new ArgumentError(`${option} has "${unknown}", which is none of ${allowed.join(', ')}`);
  }
  return allowed.filter((name) => words.includes(name));
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || !Number.isSafeInteger(value)) {
    throw new ArgumentError(`${option} must be a whole number from 1 on, got "${text}"`);
  }
  return value;
}

function loadsOf(n: string | undefined, profile: string | undefined): readonly Load[] {
  const objects = wholeNumber('--n', n);
  if (objects === undefined) {
    return [
      { profile: 'default', objects: 50 },
      { profile: 'unlimited', objects: 1000 },
    ];
  }
  if (profile !== undefined && profile !== 'default' && profile !== 'unlimited') {
    throw new ArgumentError(`--profile must be default or unlimited, got "${profile}"`);
  }
  return [{ profile: profile ?? 'unlimited', objects }];
}

function driverOf(values: Partial<Record<'driver' | 'csi-address' | 'driver-command', string>>): DriverChoice {
  const { driver, 'csi-address': address, 'driver-command': command } = values;
  const [first, second] = (['driver', 'csi-address', 'driver-command'] as const).filter((name) => name in values);
  if (second !== undefined) {
    throw new ArgumentError(`--${first} and --${second} both name the driver; give one of them`);
  }
  if (address !== undefined) return { kind: 'running', address };
  if (command !== undefined) {
    const words = command.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) throw new ArgumentError('--driver-command is empty; give the program and its arguments');
    return { kind: 'command', command: words };
  }
  if (driver === undefined || driver === 'memory') return { kind: 'memory' };
  if (driver === 'disk') return { kind: 'disk' };
  throw new ArgumentError(`--driver must be memory or disk, got "${driver}"; --driver-command starts another`);
}

function pairs(option: string, text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined || text === '') return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new ArgumentError(`${option} has "${pair}", which is not KEY=VALUE`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
