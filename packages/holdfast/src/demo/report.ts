export interface Report {
  title(text: string): void;
  /** What is being waited for; shown on a terminal only, and overwritten by the next line. */
  waiting(text: string): void;
  step(text: string, tookMs: number, detail?: string): void;
  note(text: string): void;
  failure(text: string): void;
  table(rows: readonly (readonly string[])[]): void;
}

export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Keeps a line readable: of a long path, beginning and end tell most. */
function shorten(text: string, length = 72): string {
  const kept = Math.floor((length - 1) / 2);
  return text.length <= length ? text : `${text.slice(0, kept)}…${text.slice(-kept)}`;
}

/** Lines with colour and a moving last line on a terminal; the same lines, plain, in a log. */
export function createReport(out: { isTTY?: boolean; write(text: string): unknown }): Report {
  const isTerminal = out.isTTY === true && process.env.NO_COLOR === undefined;
  const paint = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);
  const clear = isTerminal ? '\r\u001b[2K' : '';
  const line = (text: string): void => void out.write(`${clear}${text}\n`);
  return {
    title: (text) => line(`\n${paint(1, text)}`),
    waiting(text) {
      if (isTerminal) out.write(`${clear}  ${paint(36, '…')} ${paint(2, shorten(text))}`);
    },
    step(text, tookMs, detail = '') {
      line(
        `  ${paint(32, '✓')} ${text.padEnd(34)} ${formatMs(tookMs).padStart(8)}  ${paint(2, shorten(detail))}`.trimEnd(),
      );
    },
    note: (text) => line(`    ${paint(2, text)}`),
    failure: (text) => line(`  ${paint(31, '✗')} ${text}`),
    table(rows) {
      const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
      for (const row of rows)
        line(`    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
    },
  };
}
