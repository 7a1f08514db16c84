import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@holdfast/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaths } from '../paths.ts';
import { type KubeletHttp, startKubeletHttp } from './server.ts';

let root: string;
let http: KubeletHttp;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-http-'));
  http = await startKubeletHttp({
    paths: createPaths(root),
    port: 0,
    log: silentLogger,
    logPath: () => undefined,
    isRunning: () => false,
    volumeStats: async () => [],
    pods: () => ({ items: [] }),
    exec: async () => ({ exitCode: 0 }),
  });
});
afterEach(async () => {
  await http.stop();
  await rm(root, { recursive: true, force: true });
});

/** As it stands: a client library would mend the target first. */
function ask(target: string): Promise<string> {
  const socket = connect(http.port, '127.0.0.1');
  socket.end(`GET ${target} HTTP/1.1\r\nHost: kubelet\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

describe("kubelet's server", () => {
  it.each([
    ['/%zz', '400 Bad Request'],
    ['//', '404 Not Found'],
    ['/exec/default/app/main?command=true', '404 Not Found'],
    ['/containerLogs/default/app/main', '404 Not Found'],
  ])('answers %s, and lives on', async (target, status) => {
    expect(await ask(target)).toContain(`HTTP/1.1 ${status}`);
    expect(await ask('/pods')).toContain('{"items":[]}');
  });
});
