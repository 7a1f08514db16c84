/** Sizes of a change, largest first, and the heading that users find them under. */
const headings = { major: 'What breaks', minor: 'New', patch: 'Mended' } as const;
export type Size = keyof typeof headings;

export interface Change {
  readonly size: Size;
  readonly summary: string;
}

/**
 * A changeset: which packages, how large, and what to tell users. All packages have one version, so the largest size counts.
 * @throws Error naming the file
 */
export function parseChangeset(text: string, file: string): Change {
  const [, packages, summary] = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(text) ?? [];
  if (packages === undefined || summary === undefined) throw new Error(`${file} is not a changeset: no lines of ---`);
  const sizes = Object.keys(headings).filter((size): size is Size => new RegExp(`:\\s*['"]?${size}\\b`).test(packages));
  const [size] = sizes;
  if (size === undefined) throw new Error(`${file} names no package with major, minor or patch`);
  if (summary.trim() === '') throw new Error(`${file} tells users nothing`);
  return { size, summary: summary.trim() };
}

/** @returns the changelog with a release put before the others */
export function addRelease(
  changelog: string,
  { version, date, changes }: { readonly version: string; readonly date: string; readonly changes: readonly Change[] },
): string {
  const sections = Object.entries(headings).map(([size, heading]) => {
    const items = changes.filter((change) => change.size === size).map(({ summary }) => listItem(summary));
    return items.length === 0 ? '' : `### ${heading}\n\n${items.join('\n')}\n\n`;
  });
  const release = `## ${version} (${date})\n\n${sections.join('')}`;
  const first = changelog.search(/^## /m);
  if (first === -1) return `${changelog.trimEnd()}\n\n${release.trimEnd()}\n`;
  return `${changelog.slice(0, first)}${release}${changelog.slice(first)}`;
}

function listItem(summary: string): string {
  return `- ${summary.replaceAll('\n', '\n  ').replaceAll(/^ +$/gm, '')}`;
}
