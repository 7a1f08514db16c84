import { readFile } from 'node:fs/promises';

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** One line of /proc/self/mountinfo, proc(5). */
export interface MountEntry {
  readonly mountId: number;
  readonly parentId: number;
  readonly device: DeviceNumber;
  /** The path inside the file system that is mounted here; for a bind mount, the bound folder or file. */
  readonly root: string;
  /** The bound source was removed after it was bound (`//deleted`). */
  readonly isRootDeleted: boolean;
  readonly mountPoint: string;
  /** Of this mount: `ro` here is what a read-only bind sets. */
  readonly options: readonly string[];
  /** Propagation: `shared:N`, `master:N`, … Any number of them. */
  readonly optionalFields: readonly string[];
  readonly fsType: string;
  readonly source: string;
  /** Of the file system behind it: `ro` here means the whole file system is read-only. */
  readonly superOptions: readonly string[];
}

export class MountInfoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MountInfoError';
  }
}

const deletedSuffix = '//deleted';

/** @throws {MountInfoError} naming the line that is not as proc(5) says. */
export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): MountEntry {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [mountId, parentId, device, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1);
  const numbers = /^(\d+):(\d+)$/.exec(device ?? '');
  if (
    root === undefined ||
    mountPoint === undefined ||
    options === undefined ||
    numbers === null ||
    fsType === undefined ||
    source === undefined ||
    superOptions === undefined ||
    !/^\d+$/.test(mountId ?? '') ||
    !/^\d+$/.test(parentId ?? '')
  ) {
    throw new MountInfoError(`unexpected line in mountinfo: ${JSON.stringify(line)}`);
  }
  const boundPath = decodeOctal(root);
  const isRootDeleted = boundPath.endsWith(deletedSuffix);
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device: { major: Number(numbers[1]), minor: Number(numbers[2]) },
    root: isRootDeleted ? boundPath.slice(0, -deletedSuffix.length) : boundPath,
    isRootDeleted,
    mountPoint: decodeOctal(mountPoint),
    options: options.split(','),
    optionalFields: fields.slice(6, separator),
    fsType: decodeOctal(fsType),
    source: decodeOctal(source),
    superOptions: superOptions.split(','),
  };
}

// The kernel writes blank, tab, newline, backslash (and # in a source) as three octal digits of one byte, fs/proc_namespace.c mangle().
function decodeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-3][0-7]{2})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Kernels before 5.8 may hand out a torn table while mounts change: read until two reads agree. */
export async function readMountInfo(file = '/proc/self/mountinfo'): Promise<MountEntry[]> {
  let previous = await readFile(file, 'utf8');
  for (let attempt = 0; attempt < 10; attempt++) {
    const next = await readFile(file, 'utf8');
    if (next === previous) break;
    previous = next;
  }
  return parseMountInfo(previous);
}

/** All mounts stacked on one path, lowest first; the last one is what a process sees. */
export function mountsAt(entries: readonly MountEntry[], mountPoint: string): MountEntry[] {
  const here = entries.filter((entry) => entry.mountPoint === mountPoint);
  const ids = new Set(here.map((entry) => entry.mountId));
  const byParent = new Map<number, MountEntry[]>();
  for (const entry of here) byParent.set(entry.parentId, [...(byParent.get(entry.parentId) ?? []), entry]);

  // Each layer is the child of the one below it, so the order follows parents, not the order of lines.
  const ordered: MountEntry[] = [];
  const visit = (entry: MountEntry): void => {
    if (ordered.includes(entry)) return;
    ordered.push(entry);
    for (const child of byParent.get(entry.mountId) ?? []) visit(child);
  };
  for (const entry of here) if (!ids.has(entry.parentId) || entry.parentId === entry.mountId) visit(entry);
  for (const entry of here) visit(entry);
  return ordered;
}

export function topMountAt(entries: readonly MountEntry[], mountPoint: string): MountEntry | undefined {
  return mountsAt(entries, mountPoint).at(-1);
}

/** Mounts at or below a folder. */
export function mountsUnder(entries: readonly MountEntry[], folder: string): MountEntry[] {
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  return entries.filter((entry) => entry.mountPoint === folder || entry.mountPoint.startsWith(prefix));
}

export function isReadOnlyMount(entry: MountEntry): boolean {
  return entry.options.includes('ro') || entry.superOptions.includes('ro');
}
