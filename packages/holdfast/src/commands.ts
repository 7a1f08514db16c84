/** Runs a command with the words after it. @returns the exit code */
type Run = (args: readonly string[]) => Promise<number>;

export interface Command {
  readonly synopsis: string;
  readonly help: string;
  /** Loads what it needs, and nothing for the others: a sidecar must not carry the demo. */
  load(): Promise<Run>;
}

/** For programs that serve for months, as each does that is started by itself. Before the rest is loaded: that is most of a start. */
function inSmallHeap(load: () => Promise<Run>): () => Promise<Run> {
  return async () => {
    (await import('@holdfast/sidecar')).keepHeapSmall();
    return await load();
  };
}

export const commands: Readonly<Record<string, Command>> = {
  demo: {
    synopsis: 'demo [--keep] [--kill=PROGRAM[@STEP]]',
    help: "a claim's whole life, on real sockets and real mounts, from the files in deploy/examples",
    load: async () => (await import('./demo/demo.ts')).demo,
  },
  new: {
    synopsis: 'new driver NAME [FOLDER]',
    help: 'writes the package of a CSI driver of your own',
    load: async () => (await import('./new/new-driver.ts')).newDriver,
  },
  controllers: {
    synopsis: 'controllers [flags]',
    help: 'csi-provisioner, csi-attacher and csi-resizer in one process',
    load: inSmallHeap(async () => (await import('./process/controllers.ts')).controllers.main),
  },
  node: {
    synopsis: 'node [flags]',
    help: 'holdfast-driver, csi-node-driver-registrar and livenessprobe in one process',
    load: inSmallHeap(async () => (await import('./process/node.ts')).node.main),
  },
  ...Object.fromEntries(
    Object.entries({
      'csi-provisioner': async () => (await import('@holdfast/external-provisioner')).main,
      'csi-attacher': async () => (await import('@holdfast/external-attacher')).main,
      'csi-resizer': async () => (await import('@holdfast/external-resizer')).main,
      'csi-node-driver-registrar': async () => (await import('@holdfast/node-driver-registrar')).main,
      livenessprobe: async () => (await import('@holdfast/livenessprobe')).main,
      'holdfast-driver': async () => (await import('@holdfast/driver')).main,
    }).map(([name, load]) => [
      name,
      { synopsis: `${name} [flags]`, help: 'that program by itself', load: inSmallHeap(load) },
    ]),
  ),
};

export function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const [first, ...more] = Object.values(commands).map(({ synopsis }) => `holdfast ${synopsis}`);
  const lines = Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(width)}  ${help}`);
  return [`usage: ${first}`, ...more.map((line) => `       ${line}`), ...lines, ''].join('\n');
}
