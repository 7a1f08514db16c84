import { readFile } from 'node:fs/promises';

/** The mount points in the text of `/proc/self/mountinfo`, decoded. A line that is cut short is left out. */
export function parseMountPoints(text: string): ReadonlySet<string> {
  const points = new Set<string>();
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const point = fields[4];
    // `id parent maj:min root mountpoint options [optional…] - fstype source options`
    if (fields.length >= 10 && point !== undefined && fields.includes('-')) {
      points.add(unescapeOctal(point));
    }
  }
  return points;
}

/** The kernel writes blanks, tabs, newlines and backslashes in paths as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export async function readMountPoints(): Promise<ReadonlySet<string>> {
  return parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
}
