import type { AcceptedDifference } from './accepted.ts';

/** docs/sandbox-differences.md: the table of accepted differences, for people. */
export function differencesPage(accepted: readonly AcceptedDifference[]): string {
  const rows = accepted.map(({ what, why }) => `| ${cell(what)} | ${cell(why)} |`);
  return `# Where the sandbox differs from kube-apiserver

The sandbox's API server is held beside etcd and kube-apiserver v1.36: \`npm run test:differential\` sends the same requests to both
and compares status, headers, bodies, versions and watch events, then random sequences of requests. What differs is mended, or it is
in this table. The test reads the same table (\`tools/differential/accepted.ts\`): a difference that is not in it fails, and so does
an entry that is met no more. \`node tools/generate.ts\` writes this page.

| what differs | why |
| --- | --- |
${rows.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
