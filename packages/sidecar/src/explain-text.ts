import type { Explanation, KeyReport } from '@holdfast/control';

/** Errors of drivers may be long; the whole of each is in the log. */
const MAX_LENGTH = 4_096;

const standings: Readonly<Record<Explanation['verdict']['standing'], string>> = {
  waiting: 'waits for',
  due: 'to be done',
  settled: 'nothing to do',
};

/** Everything that is known of one matter, a line each. */
export function explanationText({ matter, verdict, reason, key, facts }: Explanation, nowMs: number): string {
  const { lastError } = key;
  const rows: readonly (readonly [string, string | undefined])[] = [
    [standings[verdict.standing], verdict.text],
    ['because', reason],
    // A timer of before may still run for what is settled meanwhile.
    ['now', verdict.standing === 'settled' && key.state.kind === 'delayed' ? undefined : stateText(key, nowMs)],
    ['failed tries', key.failures === 0 ? undefined : `${key.failures} in a row`],
    ['last error', lastError && `${lastError.message} (${span(lastError.agoMs)} ago)`],
    ...Object.entries(facts),
  ];
  const lines = rows.flatMap(([label, text]) => (text ? [`  ${`${label}:`.padEnd(16)} ${oneLine(text)}\n`] : []));
  return `${matter}\n${lines.join('')}`;
}

/** The same in a line. */
export function explanationLine({ matter, verdict, reason, key }: Explanation, nowMs: number): string {
  const error = key.lastError && key.lastError.message !== reason ? `; last error: ${key.lastError.message}` : '';
  const text = `${matter}: ${standings[verdict.standing]}: ${verdict.text} (${reason}); ${stateText(key, nowMs)}${error}`;
  return oneLine(text);
}

function stateText({ state }: KeyReport, nowMs: number): string {
  switch (state.kind) {
    case 'idle':
      return 'looked at again when something changes';
    case 'queued':
      return `in the queue for ${span(state.forMs)}`;
    case 'inWork':
      return `in work for ${span(state.forMs)}, since ${new Date(nowMs - state.forMs).toISOString()}`;
    case 'delayed':
      return `tried again in ${span(state.inMs)}, at ${new Date(nowMs + state.inMs).toISOString()}, or when something changes`;
    default:
      return state satisfies never;
  }
}

function span(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms <= 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** A driver's words must not look like ours: no line breaks, no control characters. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  return plain.length > MAX_LENGTH ? `${plain.slice(0, MAX_LENGTH)} …` : plain;
}
