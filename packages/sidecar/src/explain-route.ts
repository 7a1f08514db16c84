import { setImmediate } from 'node:timers/promises';
import type { Explainer, ExplainTopic, Explanation } from '@holdfast/control';
import { type Clock, systemClock } from '@holdfast/core';
import { explanationLine, explanationText, oneLine } from './explain-text.ts';
import type { HttpReply, Route } from './http-server.ts';

export const EXPLAIN_PATH = '/debug/explain';

/** Whether this replica is the one that works. */
export type Leadership =
  /** There is no election. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'leading'; readonly lease: string }
  /** `holder` is '' when nobody is known to hold it. */
  | { readonly kind: 'standingBy'; readonly lease: string; readonly holder: string };

export interface ExplainRouteDeps {
  /** Undefined while there is no work, or not yet. */
  readonly explainer: () => Explainer | undefined;
  readonly leadership: () => Leadership;
  readonly clock?: Clock;
}

/** A longer list nobody reads, and it must not hold up the work. */
const MAX_LINES = 1_000;
const YIELD_EVERY = 200;

/** Says in words what an object waits for, and why; without a question, everything that waits. It changes nothing. */
export function explainRoute({ explainer, leadership, clock = systemClock }: ExplainRouteDeps): Route {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { ...text(405, 'only GET and HEAD are answered here'), headers: { Allow: 'GET, HEAD' } };
    }
    const lead = leadership();
    const topics = explainer();
    if (topics === undefined) return text(200, notWorking(lead));
    const question = readQuestion(request.query, topics);
    if (question.kind === 'bad') return text(400, `${question.message}\n${usage(topics)}`);
    const head = leaderText(lead);
    if (question.kind === 'all') return text(200, `${head}\n\n${await listAll(topics, clock, request.signal)}`);
    const { topic, name } = question;
    const found = topic.explain(name);
    if (found.length === 0) return text(404, `${head}\n\nNo ${topic.kind} ${name} is known here.\n${usage(topics)}`);
    const parts = found.map((each) => explanationText(each, clock.nowMs()));
    return text(200, `${head}\n\n${topic.kind} ${name}\n\n${parts.join('\n')}`);
  };
}

type Question =
  | { readonly kind: 'all' }
  | { readonly kind: 'one'; readonly topic: ExplainTopic; readonly name: string }
  | { readonly kind: 'bad'; readonly message: string };

/** The API server's names: DNS subdomains, of at most 253 characters. */
const SEGMENT = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function readQuestion(query: URLSearchParams, topics: Explainer): Question {
  const [first, ...others] = [...query];
  if (first === undefined) return { kind: 'all' };
  if (others.length > 0) return { kind: 'bad', message: 'Ask for one object at a time.' };
  const [word, name] = first;
  const topic = Object.hasOwn(topics, word) ? topics[word] : undefined;
  if (topic === undefined) return { kind: 'bad', message: `Nothing is known here by the word ${quoted(word)}.` };
  const segments = name.split('/');
  if (segments.length !== (topic.isNamespaced ? 2 : 1) || !segments.every((segment) => SEGMENT.test(segment))) {
    return { kind: 'bad', message: `${quoted(name)} does not name a ${topic.kind}: write ${formOf(word, topic)}.` };
  }
  return { kind: 'one', topic, name };
}

async function listAll(topics: Explainer, clock: Clock, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  let looked = 0;
  let left = 0;
  for (const [word, topic] of Object.entries(topics)) {
    for (const name of new Set(topic.candidates())) {
      looked += 1;
      // The list is as long as the cluster is large; work and lease go on beside it.
      if (looked % YIELD_EVERY === 0) await setImmediate(undefined, { signal });
      for (const explanation of topic.explain(name).filter(isUnsettled)) {
        if (lines.length < MAX_LINES) lines.push(`${word}=${name} ${explanationLine(explanation, clock.nowMs())}`);
        else left += 1;
      }
    }
  }
  if (lines.length === 0) return `Nothing waits.\n${usage(topics)}`;
  const rest = left === 0 ? [] : [`and ${left} more`];
  return `${[...lines, ...rest].join('\n')}\n`;
}

/** A timer of before may still run for what is settled meanwhile; that is nothing to tell. */
function isUnsettled({ verdict, key }: Explanation): boolean {
  return verdict.standing !== 'settled' || key.state.kind === 'inWork';
}

function notWorking(lead: Leadership): string {
  if (lead.kind !== 'standingBy') return `${leaderText(lead)}\n\nIt is starting: its caches are not complete yet.`;
  return `${leaderText(lead)}\n\nOnly who holds the lease knows what is under way.`;
}

function leaderText(lead: Leadership): string {
  switch (lead.kind) {
    case 'alone':
      return 'This replica works without leader election.';
    case 'leading':
      return `This replica leads: it holds the lease ${lead.lease}.`;
    case 'standingBy': {
      const where = lead.holder === '' ? 'nobody is seen to hold' : `ask ${quoted(lead.holder)}, which holds`;
      return `This replica stands by: ${where} the lease ${lead.lease}.`;
    }
    default:
      return lead satisfies never;
  }
}

function usage(topics: Explainer): string {
  const forms = Object.entries(topics).map(([word, topic]) => `${EXPLAIN_PATH}?${formOf(word, topic)}`);
  return `Ask for ${[...forms, `${EXPLAIN_PATH} for everything that waits`].join(', or ')}.`;
}

function formOf(word: string, { isNamespaced }: ExplainTopic): string {
  return `${word}=${isNamespaced ? 'NAMESPACE/NAME' : 'NAME'}`;
}

function quoted(given: string): string {
  return JSON.stringify(oneLine(given.slice(0, 300)));
}

function text(status: number, body: string): HttpReply {
  return { status, body: body.endsWith('\n') ? body : `${body}\n`, headers: { 'X-Content-Type-Options': 'nosniff' } };
}
