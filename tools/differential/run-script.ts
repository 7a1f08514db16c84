import type { Difference } from './compare.ts';
import { compareReplies } from './compare.ts';
import { createNormaliser, type Normaliser } from './normalise.ts';
import type { Body, JsonObject, JsonValue, Step } from './script.ts';
import { isObject, valueAt } from './script.ts';
import type { Server } from './wire.ts';

/** One server's side of a script. */
interface Side {
  readonly server: Server;
  readonly normaliser: Normaliser;
  readonly kept: Map<string, JsonObject>;
}

export interface StepResult {
  readonly step: Step;
  /** 1 for the first request of its script. */
  readonly number: number;
  readonly differences: readonly Difference[];
}

/** Tells a script, request by request, to both servers at once. */
export interface Telling {
  send(step: Step): Promise<StepResult>;
}

export function createTelling(servers: { sandbox: Server; kubernetes: Server }, namespace: string): Telling {
  const sides = [servers.sandbox, servers.kubernetes].map((server) => ({
    server,
    normaliser: createNormaliser(),
    kept: new Map<string, JsonObject>([['ns', {}]]),
  }));
  let number = 0;
  return {
    async send(step) {
      number += 1;
      const [ours, theirs] = await Promise.all(sides.map((side) => sendOne(side, step, namespace)));
      if (ours === undefined || theirs === undefined) throw new Error('there are two servers to compare');
      return { step, number, differences: compareReplies(ours, theirs, step.comparesBody !== false) };
    },
  };
}

async function sendOne(side: Side, step: Step, namespace: string): ReturnType<typeof normalised> {
  if (step.compacts === true) {
    await side.server.compact();
    return side.normaliser.normalise({ status: 0, headers: {}, text: '' });
  }
  const fill = (text: string): string => filled(text, side, namespace);
  const body = step.body === undefined ? undefined : fill(bodyText(step.body, side));
  const credentials = {
    admin: { authorization: side.server.authorization },
    none: {},
    unknown: { authorization: 'Bearer nobody-was-given-this' },
  }[step.credentials ?? 'admin'];
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const headers = {
    'user-agent': 'differential/1',
    accept: 'application/json',
    ...credentials,
    ...type,
    ...Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, fill(value)])),
  };
  return normalised(
    side,
    step,
    await side.server.send({ method: step.method, path: fill(step.path).replaceAll(' ', '%20'), headers, body }),
  );
}

async function normalised(side: Side, step: Step, reply: Awaited<ReturnType<Server['send']>>) {
  const body = parseObject(reply.text);
  if (step.as !== undefined && body['kind'] !== 'Status') side.kept.set(step.as, body);
  return side.normaliser.normalise(reply);
}

function bodyText(body: Body, side: Side): string {
  if (typeof body === 'string') return body;
  const value = typeof body === 'function' ? body((name) => structuredClone(side.kept.get(name) ?? {})) : body;
  return JSON.stringify(value);
}

const short: Readonly<Record<string, string>> = {
  uid: 'metadata.uid',
  rv: 'metadata.resourceVersion',
  name: 'metadata.name',
  continue: 'metadata.continue',
};

function filled(text: string, side: Side, namespace: string): string {
  return text.replaceAll(/\{\{([a-zA-Z0-9]+)(?:\.([^}]+))?\}\}/g, (_all, name: string, path?: string) => {
    if (name === 'ns') return namespace;
    const found = valueAt(side.kept.get(name), (short[path ?? ''] ?? path ?? '').split('.'));
    return typeof found === 'string' ? found : `no-${name}-${path ?? ''}`;
  });
}

function parseObject(text: string): JsonObject {
  try {
    const value: JsonValue = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
