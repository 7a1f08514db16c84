// What is sent. A script is a short story of requests in a namespace of its own; both servers are told it word for word.

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** The body of an earlier reply of the same server, by the name it was kept under. */
export type Seen = (name: string) => JsonObject;

/** Text goes out as it is, anything else as JSON. A function may build on what the server answered before. */
export type Body = string | JsonValue | ((seen: Seen) => JsonValue);

/**
 * One request. In its path and body `{{ns}}` is the script's namespace and `{{name.path}}` a value of an earlier reply, such as
 * `{{claim.metadata.uid}}`; `{{claim.rv}}`, `{{claim.uid}}` and `{{page.continue}}` are short for the usual ones.
 */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** Keeps the reply under this name. */
  readonly as?: string;
  /** Without the administrator's token: with none, or with one that nobody was given. */
  readonly credentials?: 'none' | 'unknown';
  /** No request: each server forgets every state of the past. */
  readonly compacts?: true;
  /** Only whether it succeeds and of what type the answer is: the body is a server's own. */
  readonly comparesBody?: false;
}

export interface Script {
  readonly title: string;
  readonly steps: readonly Step[];
}

export interface Topic {
  readonly name: string;
  readonly scripts: readonly Script[];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function valueAt(from: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let at = from;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isObject(at) ? at[key] : undefined;
  }
  return at;
}

type Options = Omit<Step, 'method' | 'path' | 'body'>;

export function get(path: string, options: Options = {}): Step {
  return { method: 'GET', path, ...options };
}

export function post(path: string, body: Body, options: Options = {}): Step {
  return { method: 'POST', path, body, ...options };
}

export function put(path: string, body: Body, options: Options = {}): Step {
  return { method: 'PUT', path, body, ...options };
}

export function remove(path: string, body?: Body, options: Options = {}): Step {
  return body === undefined ? { method: 'DELETE', path, ...options } : { method: 'DELETE', path, body, ...options };
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export function patch(type: keyof typeof patchTypes, path: string, body: Body, options: Options = {}): Step {
  const headers = { 'content-type': patchTypes[type], ...options.headers };
  return { method: 'PATCH', path, body, ...options, headers };
}

export const compact: Step = { method: 'COMPACT', path: '(the history)', compacts: true };

export function script(title: string, ...steps: Step[]): Script {
  return { title, steps };
}
