import { labelValue, qualifiedName } from './name-rules.ts';
import { badRequest } from './status.ts';

type Labels = Readonly<Record<string, string>>;
export type LabelTest = (labels: Labels) => boolean;

/** A word, a symbol, or '' at the end. */
type Token = string;

const symbols = /[!(),=<>]/;
const operators = ['in', 'notin', '=', '==', '!=', '>', '<'];

/** The grammar and the words are those of apimachinery's labels.Parse. Throws 400 on a selector that cannot be read. */
export function parseLabelSelector(text: string): LabelTest {
  const tokens = tokenise(text);
  const tests: LabelTest[] = [];
  for (;;) {
    const next = tokens.peek();
    if (next === '') break;
    if (next !== '!' && !isWord(next)) throw unexpected(next, "!, identifier, or 'end of string'");
    tests.push(readRequirement(tokens));
    const after = tokens.take();
    if (after === '') break;
    if (after !== ',') throw unexpected(after, "',' or 'end of string'");
    const follows = tokens.peek();
    if (follows !== '!' && !isWord(follows)) throw unexpected(follows, "identifier after ','");
  }
  return (labels) => tests.every((test) => test(labels));
}

interface Tokens {
  peek(): Token;
  take(): Token;
}

/** In one pass: a selector may be as long as a URL, and comes from anyone. */
function tokenise(text: string): Tokens {
  const found = text.match(/==|!=|[!(),=<>]|[^\s!(),=<>]+/g) ?? [];
  let at = 0;
  return { peek: () => found[at] ?? '', take: () => found[at++] ?? '' };
}

function isWord(token: Token): boolean {
  return token !== '' && !symbols.test(token);
}

function unexpected(found: Token, expected: string): Error {
  return badRequest(`found '${found}', expected: ${expected}`);
}

function unreadable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}

function readRequirement(tokens: Tokens): LabelTest {
  const isNegated = tokens.peek() === '!';
  if (isNegated) tokens.take();
  const key = tokens.take();
  if (!isWord(key)) throw unreadable(`found '${key}', expected: identifier`);
  const wrong = qualifiedName(key);
  if (wrong !== undefined) throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong}`);
  const next = tokens.peek();
  if (isNegated || next === '' || next === ',') return (labels) => (labels[key] === undefined) === isNegated;
  const operator = tokens.take();
  if (!operators.includes(operator)) {
    throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  const isSet = operator === 'in' || operator === 'notin';
  const values = isSet ? readValues(tokens) : [readValue(tokens)];
  refuseValues(key, operator, values);
  return testOf(key, operator, values);
}

function readValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next === '' || next === ',') return '';
  tokens.take();
  if (!isWord(next)) throw unreadable(`found '${next}', expected: identifier`);
  return next;
}

/** Between parentheses; nothing between two commas is the empty value. */
function readValues(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open !== '(') throw unreadable(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const value = isWord(tokens.peek()) ? tokens.take() : '';
    values.push(value);
    const after = tokens.take();
    if (after === ')') return [...new Set(values)].toSorted();
    if (after === ',') continue;
    throw unreadable(`found '${after}', expected: ${value === '' ? "',', ')' or identifier" : "',' or ')'"}`);
  }
}

function refuseValues(key: string, operator: string, values: readonly string[]): void {
  const errors = values.flatMap((value, index) => {
    const wrong = labelValue(value);
    return wrong === undefined ? [] : [`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong}`];
  });
  if (operator === '>' || operator === '<') {
    const [bound = ''] = values;
    const why = "for 'Gt', 'Lt' operators, the value must be an integer";
    if (!isInteger(bound)) errors.unshift(`values[0]: Invalid value: ${JSON.stringify(bound)}: ${why}`);
  }
  if (errors.length > 0) throw unreadable(errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);
}

function testOf(key: string, operator: string, values: readonly string[]): LabelTest {
  const has = (labels: Labels): boolean => labels[key] !== undefined && values.includes(labels[key]);
  switch (operator) {
    case '!=':
    case 'notin':
      return (labels) => !has(labels);
    case '>':
    case '<': {
      const bound = Number(values[0]);
      return (labels) => {
        const value = labels[key];
        if (value === undefined || !isInteger(value)) return false;
        return operator === '>' ? Number(value) > bound : Number(value) < bound;
      };
    }
    default:
      return has;
  }
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}
