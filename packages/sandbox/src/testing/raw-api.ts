import type { Clock } from '@holdfast/core';
import { silentLogger } from '@holdfast/core';
import { isObject, type JsonObject, type JsonValue } from '../apiserver/json.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';

export interface RawReply {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Headers;
}

export interface RawApi {
  readonly server: ApiServer;
  call(
    method: string,
    path: string,
    body?: JsonValue | string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RawReply>;
  patch(path: string, type: 'json' | 'merge' | 'strategic' | 'apply', body: JsonValue): Promise<RawReply>;
  /** The events of a watch as they come. Leaving the loop ends the watch. */
  watch(path: string): AsyncGenerator<JsonObject>;
  stop(): Promise<void>;
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The API server at its wire, for tests of the server itself: what is sent is what the test says. */
export async function startRawApi(
  options: { clock?: Clock; bookmarkIntervalMs?: number; historySize?: number } = {},
): Promise<RawApi> {
  const server = await createApiServer({
    ...options,
    tokens: { secret: { username: 'admin', groups: ['system:masters'] } },
    log: silentLogger,
  });
  const authorization = 'Bearer secret';
  const call: RawApi['call'] = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const type = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { authorization, ...type, ...headers },
      ...sent,
    });
    const text = await response.text();
    return { status: response.status, body: parseObject(text), headers: response.headers };
  };
  return {
    server,
    call,
    patch: (path, type, body) => call('PATCH', path, body, { 'content-type': patchTypes[type] }),
    async *watch(path) {
      const leaving = new AbortController();
      const response = await fetch(`${server.url}${path}`, { headers: { authorization }, signal: leaving.signal });
      try {
        if (response.status !== 200 || response.body === null) throw new Error(await response.text());
        let rest = '';
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) yield parseObject(line);
        }
      } finally {
        leaving.abort();
      }
    },
    stop: () => server.stop(),
  };
}

function parseObject(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : { text };
  } catch {
    return { text };
  }
}
