import { writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KubeConfigError } from './config.ts';
import { createKubeClient } from './create-client.ts';
import { KubeError } from './kube-error.ts';
import { type LoadKubeConfigOptions, loadKubeConfig } from './load-config.ts';
import { createCertificate } from './testing/certificate.ts';
import { sendJson, startHttpServer } from './testing/http-server.ts';

let dir: string;
const cleanups: (() => void | Promise<void>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-kube-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(dir, { recursive: true, force: true });
});

async function file(name: string, content: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

async function refusal(options: LoadKubeConfigOptions): Promise<string> {
  const error: unknown = await loadKubeConfig(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeConfigError)) throw new Error(`expected a KubeConfigError, got ${String(error)}`);
  return error.message;
}

const kubeconfig = (user: object, cluster: object = {}, extra: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'local', user: 'me', namespace: 'work' } }],
    clusters: [{ name: 'local', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'me', user }],
    ...extra,
  });

describe('kubeconfig', () => {
  test('YAML and JSON give the same configuration', async () => {
    const yaml = [
      'apiVersion: v1',
      'kind: Config',
      'current-context: main',
      'contexts: [{name: main, context: {cluster: local, user: me, namespace: work}}]',
      'clusters:',
      '- name: local',
      '  cluster:',
      '    server: https://127.0.0.1:6443',
      'users:',
      '- name: me',
      '  user: {token: s3cret}',
    ].join('\n');
    for (const content of [yaml, kubeconfig({ token: 's3cret' })]) {
      const config = await loadKubeConfig({ kubeconfig: await file('config', content), env: {} });
      expect(config).toMatchObject({ server: 'https://127.0.0.1:6443', namespace: 'work' });
      expect(await config.credentials()).toMatchObject({ authorization: 'Bearer s3cret' });
    }
  });

  test('a token file is relative to the kubeconfig and read again when it changes', async () => {
    await file('token', 'first\n');
    const config = await loadKubeConfig({ kubeconfig: await file('config', kubeconfig({ tokenFile: 'token' })) });
    expect((await config.credentials()).authorization).toBe('Bearer first');
    await writeFile(join(dir, 'token.new'), 'second');
    await rename(join(dir, 'token.new'), join(dir, 'token'));
    expect((await config.credentials()).authorization).toBe('Bearer second');
    await rm(join(dir, 'token'));
    expect((await config.credentials()).authorization).toBe('Bearer second');
  });

  test('certificates come from data or files; the TLS object stays the same while they do', async () => {
    const pem = createCertificate('x');
    await file('ca.crt', pem.cert);
    const config = await loadKubeConfig({
      kubeconfig: await file(
        'config',
        kubeconfig(
          {
            'client-certificate-data': Buffer.from(pem.cert).toString('base64'),
            'client-key-data': Buffer.from(pem.key).toString('base64'),
          },
          { 'certificate-authority': 'ca.crt', 'tls-server-name': 'api.example', 'insecure-skip-tls-verify': true },
        ),
      ),
    });
    const { tls, authorization } = await config.credentials();
    expect(authorization).toBeUndefined();
    expect(tls.ca?.toString()).toBe(pem.cert);
    expect(tls.cert?.toString()).toBe(pem.cert);
    expect(tls.key?.toString()).toBe(pem.key);
    expect(tls).toMatchObject({ servername: 'api.example', isInsecure: true });
    expect((await config.credentials()).tls).toBe(tls);
    await file('ca.crt', createCertificate('y').cert);
    expect((await config.credentials()).tls).not.toBe(tls);
  });

  test('--master overrides the server, and alone needs no file', async () => {
    const path = await file('config', kubeconfig({ token: 't' }));
    const both = await loadKubeConfig({ kubeconfig: path, master: 'http://127.0.0.1:1' });
    expect(both.server).toBe('http://127.0.0.1:1');
    expect((await both.credentials()).authorization).toBe('Bearer t');
    expect((await loadKubeConfig({ master: 'http://127.0.0.1:1/' })).server).toBe('http://127.0.0.1:1');
    expect(await refusal({ master: '127.0.0.1:1' })).toContain('--master: the server is not a URL');
  });

  test('basic authentication and impersonation become headers', async () => {
    const path = await file('config', kubeconfig({ username: 'u', password: 'p', as: 'other' }));
    expect(await (await loadKubeConfig({ kubeconfig: path })).credentials()).toMatchObject({
      authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
      headers: { 'Impersonate-User': 'other' },
    });
  });

  test.each([
    ['text', 'this is not a kubeconfig s3cret', 'is not a kubeconfig'],
    ['broken YAML', 'users:\n- token: "s3cret\n  x: [', 'is not valid YAML (line'],
    ['broken JSON', '{"users": [{"token": "s3cret"', 'is not valid YAML'],
    ['nothing', ' \n', 'is empty'],
    ['no current context', kubeconfig({ token: 's3cret' }, {}, { 'current-context': '' }), 'has no current-context'],
    ['unknown context', kubeconfig({ token: 's3cret' }, {}, { contexts: [] }), 'no entry "main" under contexts'],
    ['unknown cluster', kubeconfig({ token: 's3cret' }, {}, { clusters: 's3cret' }), 'no entry "local" under clusters'],
    ['unknown user', kubeconfig({}, {}, { users: null }), 'no entry "me" under users'],
    ['no server', kubeconfig({ token: 's3cret' }, { server: '' }), 'clusters "local" has no server'],
    ['bad server', kubeconfig({ token: 's3cret' }, { server: 'tcp://s3cret' }), 'the server is not a URL'],
    ['password in server', kubeconfig({}, { server: 'https://u:s3cret@x' }), 'must not carry a user or password'],
    ['a number for a token', kubeconfig({ token: 12345 }), 'users "me": token is not a string'],
    ['missing CA file', kubeconfig({}, { 'certificate-authority': 'absent.crt' }), 'names a file that cannot be read'],
  ])('%s: the message names the file and the fault, not the content', async (_name, content, message) => {
    const path = await file('config', content);
    const text = await refusal({ kubeconfig: path });
    expect(text).toContain(`kubeconfig ${path}`);
    expect(text).toContain(message);
    expect(text).not.toMatch(/s3cret|12345/);
  });

  test('a missing file and a folder are named with the remedy', async () => {
    const missing = await refusal({ kubeconfig: join(dir, 'absent') });
    expect(missing).toContain(`kubeconfig ${join(dir, 'absent')} cannot be read: ENOENT`);
    expect(missing).toContain('Pass --kubeconfig=FILE');
    expect(await refusal({ kubeconfig: dir })).toContain('EISDIR');
  });
});

describe('exec plug-in', () => {
  async function withPlugin(script: string) {
    const command = await file('plugin', `#!${process.execPath}\n${script}`);
    await chmod(command, 0o755);
    const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command, args: [] } };
    return loadKubeConfig({ kubeconfig: await file('config', kubeconfig(user)) });
  }
  const credential = (token: string) => `console.log(JSON.stringify({ status: { token: ${token} } }))`;

  test('its token is used, kept, and asked for again after a rejection', async () => {
    const config = await withPlugin(
      `const fs = require('node:fs'); fs.appendFileSync(__filename + '.runs', 'x');
       ${credential("'t' + fs.readFileSync(__filename + '.runs').length")}`,
    );
    expect((await config.credentials()).authorization).toBe('Bearer t1');
    expect((await config.credentials()).authorization).toBe('Bearer t1');
    expect((await config.credentials({ isRejected: true })).authorization).toBe('Bearer t2');
  });

  test.each([
    ['it fails', "console.error('log in first'); process.exit(3)", 'log in first'],
    ['it prints no JSON', "console.log('s3cret')", 'did not print an ExecCredential'],
    ['it prints something else', "console.log(JSON.stringify({ token: 's3cret' }))", 'did not print an ExecCredential'],
  ])('%s: the error names the command and keeps its output to itself', async (_name, script, message) => {
    const config = await withPlugin(script);
    const error: unknown = await config.credentials().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KubeConfigError);
    expect(String(error)).toContain(message);
    expect(String(error)).toContain('users "me": exec command');
    expect(String(error)).not.toContain('s3cret');
  });

  test('a command that does not exist is an error of the call, not a crash', async () => {
    const user = { exec: { command: join(dir, 'absent') } };
    const config = await loadKubeConfig({ kubeconfig: await file('config', kubeconfig(user)) });
    const client = createKubeClient({ config, userAgent: 'test' });
    const error: unknown = await client.request('GET', '/version').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KubeError);
    expect(String(error)).toContain('ENOENT');
  });
});

describe('client certificates', () => {
  test('prove who we are to a server that asks for them', async () => {
    const own = createCertificate('api');
    const mine = createCertificate('system:node:n');
    const server = createServer(
      { ...own, ca: mine.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        const { socket } = request;
        const isProven = 'authorized' in socket && socket.authorized === true;
        sendJson(response, 200, { isProven });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await file('mine.crt', mine.cert);
    await file('mine.key', mine.key);
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      'certificate-authority-data': Buffer.from(own.cert).toString('base64'),
    };
    const call = async (user: object) => {
      const client = createKubeClient({
        config: await loadKubeConfig({ kubeconfig: await file('config', kubeconfig(user, cluster)), env: {} }),
        userAgent: 'test',
      });
      cleanups.push(() => client.close());
      return client.request('GET', '/version');
    };
    await expect(call({ 'client-certificate': 'mine.crt', 'client-key': 'mine.key' })).resolves.toMatchObject({
      body: { isProven: true },
    });
    await expect(call({})).rejects.toMatchObject({ status: 0 });
  });
});

describe('in a pod', () => {
  async function startApi(): Promise<{ server: Server; env: NodeJS.ProcessEnv; tokens: (string | undefined)[] }> {
    const { cert, key } = createCertificate('api');
    const tokens: (string | undefined)[] = [];
    const server = createServer({ cert, key }, (request, response) => {
      tokens.push(request.headers.authorization);
      sendJson(response, request.headers.authorization === 'Bearer revoked' ? 401 : 200, {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    await file('ca.crt', cert);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    return { server, env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port }, tokens };
  }

  /** Replaces the token as kubelet does: a new folder, and one atomic rename of the link to it. */
  async function project(version: string, token: string): Promise<void> {
    await mkdir(join(dir, version));
    await writeFile(join(dir, version, 'token'), token);
    await symlink(version, join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  }

  test('a rotated token is used from the next call on, over the same connection', async () => {
    const { env, tokens, server } = await startApi();
    let connections = 0;
    server.on('secureConnection', () => (connections += 1));
    await file('namespace', 'kube-system\n');
    await project('..v1', 'one\n');
    await symlink('..data/token', join(dir, 'token'));
    const config = await loadKubeConfig({ env, serviceAccountDir: dir });
    expect(config.namespace).toBe('kube-system');
    const client = createKubeClient({ config, userAgent: 'test' });
    cleanups.push(() => client.close());
    await client.request('GET', '/version');
    await project('..v2', 'two');
    await client.request('GET', '/version');
    expect(tokens).toEqual(['Bearer one', 'Bearer two']);
    expect(connections).toBe(1);
  });

  test('a token that rotates while the call is under way is tried again once', async () => {
    const { env, tokens, server } = await startApi();
    const token = await file('token', 'revoked');
    const config = await loadKubeConfig({ env, serviceAccountDir: dir });
    const client = createKubeClient({ config, userAgent: 'test' });
    cleanups.push(() => client.close());
    await expect(client.request('GET', '/version')).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
    expect(tokens).toEqual(['Bearer revoked']);

    server.prependOnceListener('request', () => writeFileSync(token, 'fresh'));
    await expect(client.request('GET', '/version')).resolves.toMatchObject({ status: 200 });
    expect(tokens).toEqual(['Bearer revoked', 'Bearer revoked', 'Bearer fresh']);
  });

  test('a new CA is trusted once it is on disk', async () => {
    const first = await startApi();
    await file('token', 't');
    const config = await loadKubeConfig({ env: first.env, serviceAccountDir: dir });
    const client = createKubeClient({ config, userAgent: 'test' });
    cleanups.push(() => client.close());
    await client.request('GET', '/version');

    const next = createCertificate('next');
    first.server.setSecureContext(next);
    first.server.closeAllConnections();
    await expect(client.request('POST', '/version')).rejects.toMatchObject({
      status: 0,
      message: expect.stringMatching(/certificate/i),
    });
    await file('ca.crt', next.cert);
    await expect(client.request('GET', '/version')).resolves.toMatchObject({ status: 200 });
  });

  test('outside a pod, and in a pod without a token, the message says what to do', async () => {
    expect(await refusal({ env: {} })).toMatch(/no --kubeconfig is set and this is not a pod.*pass --kubeconfig=FILE/);
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    expect(await refusal({ env, serviceAccountDir: dir })).toContain('automountServiceAccountToken');
  });

  test('an IPv6 service host is put in brackets', async () => {
    await file('token', 't');
    await file('ca.crt', 'c');
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect((await loadKubeConfig({ env, serviceAccountDir: dir })).server).toBe('https://[fd00::1]:443');
  });
});

describe('proxy', () => {
  test('the variables are honoured for a remote server and ignored for a loopback one', async () => {
    const proxy = await startHttpServer((_seen, response) => sendJson(response, 200, { via: 'proxy' }));
    cleanups.push(() => proxy.stop());
    const env = { http_proxy: proxy.url };
    const remote = createKubeClient({
      config: await loadKubeConfig({ master: 'http://api.cluster.invalid:8080', env }),
      userAgent: 'test',
    });
    cleanups.push(() => remote.close());
    await expect(remote.request('GET', '/version')).resolves.toMatchObject({ body: { via: 'proxy' } });
    expect(proxy.seen[0]?.url).toBe('http://api.cluster.invalid:8080/version');

    const direct = await startHttpServer((_seen, response) => sendJson(response, 200, { via: 'direct' }));
    cleanups.push(() => direct.stop());
    const local = createKubeClient({ config: await loadKubeConfig({ master: direct.url, env }), userAgent: 'test' });
    cleanups.push(() => local.close());
    await expect(local.request('GET', '/version')).resolves.toMatchObject({ body: { via: 'direct' } });
  });
});
