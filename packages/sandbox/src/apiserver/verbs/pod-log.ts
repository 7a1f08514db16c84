import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { errorMessage } from '@holdfast/core';
import { listAt, numberAt, stringAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { nodes } from '../kinds/nodes.ts';
import { pods } from '../kinds/pods.ts';
import type { ApiObject } from '../objects.ts';
import { ApiError, badRequest, notFound } from '../status.ts';
import type { VerbContext } from './context.ts';
import { keyOfTarget } from './update.ts';

const passedOn = ['follow', 'tailLines'];
// The sandbox's kubelet keeps what a container printed, not when.
const needTimes = ['timestamps', 'sinceSeconds', 'sinceTime'];

/** GET of pods/log: asks the kubelet of the pod's node, as upstream does, and passes on what it says while it says it. */
export async function sendPodLog(
  context: VerbContext,
  target: { namespace: string | undefined; name: string },
  query: URLSearchParams,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const pod = context.storage.get(storageName(pods), keyOfTarget(target));
  if (pod === undefined) throw notFound(pods, target.name);
  const container = containerOf(pod, query.get('container') ?? '');
  const port = kubeletPortOf(context, pod);
  const asked = new URLSearchParams(
    passedOn.flatMap((name) => query.getAll(name).map((value): [string, string] => [name, value])),
  );
  const path = ['', 'containerLogs', target.namespace ?? '', target.name, container].map(encodeURIComponent).join('/');
  const limitBytes = limitOf(query);
  if (query.get('previous') === 'true') {
    throw badRequest(
      `previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(target.name)} not found`,
    );
  }
  const reply = await ask(`${path}?${asked.toString()}`, port, signal);
  if (reply.statusCode !== 200) {
    reply.resume();
    throw new ApiError(404, 'NotFound', `container "${container}" in pod "${target.name}" has no log on its node`);
  }
  const ignored = needTimes.filter((name) => query.has(name) && query.get(name) !== 'false');
  if (ignored.length > 0) {
    response.setHeader('warning', `299 - "${ignored.join(', ')} ignored: the sandbox keeps no times of a log's lines"`);
  }
  response.writeHead(200, { 'content-type': 'text/plain' });
  // Text goes out as it is printed, also to a client that waits for the first of it.
  response.flushHeaders();
  if (limitBytes === undefined) await pipeline(reply, response);
  else await pipeline(reply, (chunks: AsyncIterable<Buffer>) => firstBytes(chunks, limitBytes), response);
}

function limitOf(query: URLSearchParams): number | undefined {
  const text = query.get('limitBytes');
  if (text === null || text === '') return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw badRequest(`limitBytes: ${JSON.stringify(text)} is not a number of bytes above 0`);
  return Number(text);
}

async function* firstBytes(chunks: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Buffer> {
  let left = limitBytes;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

function containerOf(pod: ApiObject, asked: string): string {
  const names = ['containers', 'initContainers'].flatMap((list) =>
    listAt(pod, 'spec', list).map((container) => stringAt(container, 'name') ?? ''),
  );
  const first = names[0] ?? '';
  if (asked === '') {
    if (listAt(pod, 'spec', 'containers').length === 1) return first;
    const choice = names.join(' ');
    throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${choice}]`);
  }
  if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  return asked;
}

function kubeletPortOf(context: VerbContext, pod: ApiObject): number {
  const nodeName = stringAt(pod, 'spec', 'nodeName') ?? '';
  if (nodeName === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  const node = context.storage.get(storageName(nodes), nodeName);
  if (node === undefined) throw notFound(nodes, nodeName);
  const port = numberAt(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port') ?? 0;
  if (port === 0) throw new ApiError(404, 'NotFound', `node "${nodeName}" has no kubelet that serves logs`);
  return port;
}

/** Always on loopback, whatever address the node gives: a Node is written by clients, and must not make the server call elsewhere. */
async function ask(path: string, port: number, signal: AbortSignal): Promise<IncomingMessage> {
  const outgoing = request({ host: '127.0.0.1', port, path, signal, agent: false });
  outgoing.end();
  try {
    const [reply]: IncomingMessage[] = await once(outgoing, 'response');
    if (reply !== undefined) return reply;
    throw new Error('it answered nothing');
  } catch (error) {
    throw new ApiError(500, 'InternalError', `the kubelet on port ${port} does not answer: ${errorMessage(error)}`);
  }
}
