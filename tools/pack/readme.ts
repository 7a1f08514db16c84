import { posix } from 'node:path';

const link = /\[([^\]]+)\]\((?!https?:|#)([^)\s]+)\)/g;

/**
 * A package's README away from the repository: a link to what lies outside the package leads to that version in the repository, or,
 * where that is not known, is only its text.
 */
export function publishedReadme(
  text: string,
  {
    folder,
    version,
    repository,
  }: { readonly folder: string; readonly version: string; readonly repository?: string | undefined },
): string {
  return text.replaceAll(link, (_, words: string, target: string) => {
    if (repository === undefined) return words;
    return `[${words}](${repository}/blob/v${version}/${posix.join('packages', folder, target)})`;
  });
}
