import { KubeError } from './kube-error.ts';
import { retryAfterMs } from './retry-after.ts';

/** What is known about an answer besides its body. */
export interface AnswerContext {
  /** `GET https://host:port/path`, without the query. */
  request: string;
  method: string;
  contentType: string;
  retryAfter?: string;
}

/** Turns an answer of 400 or more into an error, whether it comes from Kubernetes or from a proxy on the way. */
export function errorFromAnswer(status: number, body: string, context: AnswerContext): KubeError {
  const parsed = parseStatus(body);
  const waitMs = retryAfterMs(context.retryAfter);
  if (parsed !== undefined) {
    return errorFromStatus(parsed, { status, method: context.method, ...(waitMs === undefined ? {} : { waitMs }) });
  }
  return new KubeError({
    status,
    reason: reasonOf(status, context.method),
    message: `${context.request} answered ${status} with ${describeBody(body, context.contentType)}, not with a Kubernetes Status: is a proxy or another server in between?`,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** Turns a metav1.Status, from a body or an ERROR event of a watch, into an error. */
export function errorFromStatus(
  status: Record<string, unknown>,
  fallback: { status: number; method: string; waitMs?: number },
): KubeError {
  const code = typeof status.code === 'number' && status.code > 0 ? status.code : fallback.status;
  const reason =
    typeof status.reason === 'string' && status.reason !== '' ? status.reason : reasonOf(code, fallback.method);
  const waitMs = fallback.waitMs ?? retryAfterOfDetails(status.details);
  return new KubeError({
    status: code,
    reason,
    message: typeof status.message === 'string' && status.message !== '' ? status.message : `${code} ${reason}`,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...(status.details === undefined ? {} : { details: status.details }),
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseStatus(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) && value.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}

function retryAfterOfDetails(details: unknown): number | undefined {
  if (!isRecord(details) || typeof details.retryAfterSeconds !== 'number') return undefined;
  return details.retryAfterSeconds > 0 ? details.retryAfterSeconds * 1000 : undefined;
}

/** client-go's table (NewGenericServerResponse) for answers that carry no reason of their own. */
function reasonOf(status: number, method: string): string {
  if (status === 409) return method === 'POST' ? 'AlreadyExists' : 'Conflict';
  return REASONS.get(status) ?? 'Unknown';
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [406, 'NotAcceptable'],
  [410, 'Gone'],
  [413, 'RequestEntityTooLarge'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
]);

/** Names a foreign body without repeating it: only the title of an HTML page is shown. */
export function describeBody(body: string, contentType: string): string {
  if (body === '') return 'an empty body';
  const title = /<title[^>]*>([^<]{1,100})/i.exec(body)?.[1]?.trim();
  const type = contentType === '' ? 'a body of no stated type' : contentType;
  return title ? `${type} (page "${title}")` : `${type} (${Buffer.byteLength(body)} bytes)`;
}
