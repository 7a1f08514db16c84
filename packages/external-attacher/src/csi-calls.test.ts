import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, type ListVolumesResponse } from '@holdfast/csi-spec';
import { bindService, dialUnix, type Handlers, RpcError, serveUnix } from '@holdfast/rpc';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CsiCalls, createCsiCalls } from './csi-calls.ts';
import type { PublishRequest } from './publish-request.ts';

const signal = new AbortController().signal;
const request: PublishRequest = {
  volumeId: 'vol-1',
  nodeId: 'n1',
  volumeCapability: undefined,
  readonly: false,
  volumeContext: {},
};

async function callsTo(
  handlers: Handlers<typeof ControllerService>,
  timeoutMs = 5000,
  service = ControllerService,
): Promise<CsiCalls> {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-attacher-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const address = join(dir, 'csi.sock');
  const server = await serveUnix({ address, services: [bindService(service, handlers)], log: silentLogger });
  onTestFinished(() => server.stop(0));
  const connection = await dialUnix({ address, log: silentLogger });
  onTestFinished(() => connection.close());
  return createCsiCalls({ connection, timeoutMs, maxEntries: 2 });
}

describe('publish', () => {
  test('a driver that answers garbage is an error of that call', async () => {
    const garbled = {
      ...ControllerService,
      controllerPublishVolume: {
        ...ControllerService.controllerPublishVolume,
        responseSerialize: () => Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f]),
      },
    };
    const calls = await callsTo(
      { controllerPublishVolume: () => Promise.resolve({ publishContext: {} }) },
      5000,
      garbled,
    );
    const error: unknown = await calls
      .publish(request, { secrets: {}, isMigrated: false }, signal)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: 'Internal' });
  });

  test('a driver that never answers ends at the timeout', async () => {
    const calls = await callsTo({ controllerPublishVolume: () => new Promise(() => {}) }, 50);
    await expect(calls.publish(request, { secrets: {}, isMigrated: false }, signal)).rejects.toMatchObject({
      code: 'DeadlineExceeded',
    });
  });

  test('a secret that the driver repeats in its error is struck out', async () => {
    const calls = await callsTo({
      controllerPublishVolume: ({ secrets }) => Promise.reject(new Error(`login with ${secrets.password} failed`)),
    });
    const error: unknown = await calls
      .publish(request, { secrets: { password: 'hunter2-hunter2' }, isMigrated: false }, signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).toContain('login with');
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('listPublishedNodes', () => {
  const entry = (volumeId: string, publishedNodeIds: string[]) => ({
    volume: { volumeId, capacityBytes: 0n, volumeContext: {}, contentSource: undefined, accessibleTopology: [] },
    status: { publishedNodeIds },
  });

  test('reads every page with the page size asked for, and skips entries without volume or status', async () => {
    const asked: unknown[] = [];
    const pages: Record<string, ListVolumesResponse> = {
      '': { entries: [entry('a', ['n1', 'n2']), { volume: undefined, status: undefined }], nextToken: '2' },
      '2': { entries: [{ ...entry('b', []), status: undefined }, entry('c', [])], nextToken: '' },
    };
    const calls = await callsTo({
      listVolumes: (listRequest) => {
        asked.push(listRequest);
        return Promise.resolve(pages[listRequest.startingToken] ?? { entries: [], nextToken: '' });
      },
    });
    const published = await calls.listPublishedNodes(signal);
    expect([...published]).toEqual([
      ['a', new Set(['n1', 'n2'])],
      ['c', new Set()],
    ]);
    expect(asked).toEqual([
      { maxEntries: 2, startingToken: '' },
      { maxEntries: 2, startingToken: '2' },
    ]);
  });

  test('a driver whose pages go round in a circle is an error, not a loop', async () => {
    const calls = await callsTo({ listVolumes: () => Promise.resolve({ entries: [], nextToken: 'again' }) });
    await expect(calls.listPublishedNodes(signal)).rejects.toThrow('gave the token "again" twice');
  });
});
