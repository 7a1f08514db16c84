import type { Tarball } from './pack.ts';

export function sizeTable(tarballs: readonly Tarball[]): string {
  const rows = tarballs.map(({ name, packedBytes, unpackedBytes, files }) => [
    name,
    kib(packedBytes),
    kib(unpackedBytes),
    String(files),
  ]);
  const all = [['package', 'packed', 'unpacked', 'files'], ...rows];
  const width = (column: number): number => Math.max(...all.map((row) => row[column]?.length ?? 0));
  return all
    .map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(width(0)) : cell.padStart(width(n) + 2))).join(''))
    .join('\n');
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
