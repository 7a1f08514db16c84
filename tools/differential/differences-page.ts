import type { AcceptedDifference } from './accepted.ts';

/** docs/sandbox-differences.md: the table of accepted differences, for people. */
export function differencesPage(accepted: readonly AcceptedDifference[]): string {
  const cells = [['what differs', 'why'], ...accepted.map(({ what, why }) => [cell(what), cell(why)])];
  const widths = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = '', ...rows] = cells.map(line);
  return `# Where the sandbox differs from kube-apiserver

The sandbox's API server is held beside etcd and kube-apiserver v1.36: \`npm run test:differential\` sends the same requests to both
and compares status, headers, bodies, versions and watch events, then random sequences of requests. What differs is mended, or it is
in this table. The test reads the same table (\`tools/differential/accepted.ts\`): a difference that is not in it fails, and so does
an entry that is met no more. \`node tools/generate.ts\` writes this page.

${head}
${line(widths.map((width) => '-'.repeat(width)))}
${rows.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
