import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { persistentVolumeClaims } from '@holdfast/kube';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../testing/index.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
// The name of the suite says in the report why nothing ran.
const suite = hasKubectl ? 'kubectl' : 'kubectl (not on PATH: install it to run these)';

let cluster: TestCluster;
let dir: string;

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function environment(): string[] {
  return [`--kubeconfig=${cluster.kubeconfigPath}`, `--cache-dir=${path.join(dir, 'cache')}`];
}

function kubectl(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile('kubectl', [...environment(), ...args], { timeout: 25_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
    });
  });
}

async function ok(...args: string[]): Promise<string> {
  const run = await kubectl(...args);
  expect(run, args.join(' ')).toMatchObject({ code: 0 });
  return run.out;
}

/** A kubectl that stays, and what it has printed so far. */
function start(...args: string[]): { child: ChildProcess; printed: () => string; ended: Promise<number | null> } {
  const child = spawn('kubectl', [...environment(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, printed: () => text, ended };
}

async function file(name: string, yaml: string): Promise<string> {
  const where = path.join(dir, name);
  await writeFile(where, yaml);
  return where;
}

const manifests = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: disk.csi.holdfast
allowVolumeExpansion: true
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  storageClassName: fast
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers: [{ name: app, image: busybox, volumeMounts: [{ name: data, mountPath: /data }] }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;

function table(out: string): string[][] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));
}

describe.skipIf(!hasKubectl)(suite, { timeout: 120_000 }, () => {
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'holdfast-kubectl-'));
    cluster = await startTestCluster({ tls: true });
    await ok('apply', '-f', await file('all.yaml', manifests));
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    cluster.requests.length = 0;
  });

  it('applies again without a write, and applies a change with one', async () => {
    const again = await ok('apply', '-f', path.join(dir, 'all.yaml'));
    expect(again).toBe(
      'storageclass.storage.k8s.io/fast unchanged\npersistentvolumeclaim/data unchanged\npod/web unchanged\n',
    );
    expect(cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    const changed = manifests.replace('metadata: { name: data }', 'metadata: { name: data, labels: { tier: gold } }');
    expect(await ok('apply', '-f', await file('changed.yaml', changed))).toContain(
      'persistentvolumeclaim/data configured',
    );
    expect(await ok('get', 'pvc', '-l', 'tier=gold', '-o', 'name')).toBe('persistentvolumeclaim/data\n');
    await ok('apply', '-f', path.join(dir, 'all.yaml'));
    expect(await ok('get', 'pvc', '-l', 'tier=gold', '-o', 'name')).toBe('');
  });

  it('applies on the server side', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: applied }\ndata: { a: "1", b: "2" }\n';
    const where = await file('applied.yaml', yaml);
    expect(await ok('apply', '--server-side', '-f', where)).toBe('configmap/applied serverside-applied\n');
    await file('applied.yaml', yaml.replace(', b: "2"', ''));
    await ok('apply', '--server-side', '-f', where);
    expect(await ok('get', 'cm', 'applied', '-o', 'jsonpath={.data}')).toBe('{"a":"1"}');
  });

  it('prints what it prints elsewhere', async () => {
    expect(table(await ok('get', 'pvc'))).toEqual([
      ['NAME', 'STATUS', 'VOLUME', 'CAPACITY', 'ACCESS MODES', 'STORAGECLASS', 'VOLUMEATTRIBUTESCLASS', 'AGE'],
      ['data', 'Pending', 'fast', '<unset>', expect.stringMatching(/^\d+s$/)],
    ]);
    expect(table(await ok('get', 'sc'))[1]?.slice(0, 5)).toEqual([
      'fast',
      'disk.csi.holdfast',
      'Delete',
      'Immediate',
      'true',
    ]);
    expect(table(await ok('get', 'po', '-o', 'wide'))[0]).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'RESTARTS',
      'AGE',
      'IP',
      'NODE',
      'NOMINATED NODE',
      'READINESS GATES',
    ]);
    expect(await ok('get', 'pvc', 'data', '-o', 'yaml')).toContain('kind: PersistentVolumeClaim');
    expect(await ok('get', 'pods', '-A', '--field-selector', 'status.phase=Pending', '-o', 'name')).toBe('pod/web\n');
    for (const kind of [
      'pv',
      'volumeattachments',
      'csinodes',
      'csidrivers',
      'nodes',
      'leases',
      'ns',
      'secrets',
      'events',
    ]) {
      await ok('get', kind, '-A');
    }
    expect(await ok('api-resources', '-o', 'name')).toContain('volumeattachments.storage.k8s.io');
  });

  it('describes, with the events of the object', async () => {
    const { metadata } = await cluster.client.get(persistentVolumeClaims, { name: 'data', namespace: 'default' });
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'data.1', namespace: 'default' },
      involvedObject: { kind: 'PersistentVolumeClaim', name: 'data', namespace: 'default', uid: metadata.uid },
      type: 'Warning',
      reason: 'ProvisioningFailed',
      message: 'the pool is full',
    };
    await cluster.apply(event);
    const claim = await ok('describe', 'pvc', 'data');
    expect(claim).toMatch(/Status:\s+Pending/);
    expect(claim).toMatch(/Used By:\s+web/);
    expect(claim).toMatch(/Warning\s+ProvisioningFailed.*the pool is full/);
    expect(await ok('describe', 'sc', 'fast')).toMatch(/Provisioner:\s+disk.csi.holdfast/);
    expect(await ok('describe', 'pod', 'web')).toMatch(/ClaimName:\s+data/);
    expect(await ok('get', 'events')).toContain('persistentvolumeclaim/data');
  });

  it('patches in three ways, and says why it could not', async () => {
    await ok('patch', 'pvc', 'data', '-p', '{"metadata":{"labels":{"a":"1"}}}');
    await ok('patch', 'pvc', 'data', '--type=merge', '-p', '{"metadata":{"labels":{"b":"2"}}}');
    await ok('patch', 'pvc', 'data', '--type=json', '-p', '[{"op":"add","path":"/metadata/labels/c","value":"3"}]');
    expect(await ok('get', 'pvc', 'data', '-o', 'jsonpath={.metadata.labels}')).toBe('{"a":"1","b":"2","c":"3"}');
    const refused = await kubectl('patch', 'pvc', 'data', '-p', '{"spec":{"storageClassName":"other"}}');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('The PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable');
    const unchanged = await ok('label', 'pvc', 'data', 'a-', 'b-', 'c-');
    expect(unchanged).toContain('unlabeled');
  });

  it('creates by its typed clients, which speak protobuf', async () => {
    await ok('create', 'namespace', 'team');
    await ok('create', 'secret', 'generic', 'key', '--from-literal=user=me');
    expect(await ok('get', 'secret', 'key', '-o', 'jsonpath={.data.user}')).toBe('bWU=');
    await ok('create', 'configmap', 'settings', '--from-literal=a=b');
    expect((await ok('auth', 'can-i', 'create', 'pods')).trim()).toBe('yes');
    expect(await ok('auth', 'whoami')).toContain('test-admin');
  });

  it('watches and waits', async () => {
    const watch = start('get', 'pvc', '-w');
    await expect.poll(watch.printed, { timeout: 20_000 }).toContain('data');
    const wait = start('wait', '--for=jsonpath={.status.phase}=Bound', 'pvc/data', '--timeout=20s');
    await ok('patch', 'pvc', 'data', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Bound"}}');
    expect(await wait.ended).toBe(0);
    await expect.poll(watch.printed, { timeout: 20_000 }).toMatch(/data\s+Bound/);
    watch.child.kill();
    await watch.ended;
  });

  it('deletes, and waits for the last finalizer', async () => {
    const remove = start('delete', 'pvc', 'data');
    await expect
      .poll(async () => (await kubectl('get', 'pvc', 'data')).out, { timeout: 20_000 })
      .toContain('Terminating');
    expect(remove.child.exitCode).toBeNull();
    await ok('patch', 'pvc', 'data', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    expect(await remove.ended).toBe(0);
    expect((await kubectl('get', 'pvc', 'data')).err).toContain('persistentvolumeclaims "data" not found');
    expect(await ok('delete', 'pod', 'web')).toBe('pod "web" deleted\n');
    expect(await ok('delete', 'sc', 'fast', '--dry-run=server')).toContain('deleted (server dry run)');
    await ok('get', 'sc', 'fast');
  });

  it('explains a kind by its fields', async () => {
    const spec = await ok('explain', 'pvc.spec');
    expect(spec).toMatch(/FIELD: spec <PersistentVolumeClaimSpec>/);
    expect(spec).toMatch(/accessModes\s+<\[\]string>/);
    expect(await ok('explain', 'pod.spec.containers', '--recursive')).toMatch(/mountPath\s+<string> -required-/);
    expect(await ok('explain', 'volumeattachment.spec.source')).toMatch(/persistentVolumeName\s+<string>/);
    expect((await kubectl('explain', 'pvc.spec.nothing')).err).toContain('field "nothing" does not exist');
  });

  it('refuses a misspelt field, warns of it, or lets it pass', async () => {
    const misspelt = await file(
      'misspelt.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: odd }\ndat: { a: b }\n',
    );
    const strict = await kubectl('apply', '-f', misspelt);
    expect(strict.code).toBe(1);
    expect(strict.err).toContain('strict decoding error: unknown field "dat"');
    const warned = await kubectl('apply', '--validate=warn', '-f', misspelt);
    expect(warned).toMatchObject({ code: 0, err: expect.stringContaining('Warning: unknown field "dat"') });
    expect(await ok('replace', '--validate=ignore', '-f', misspelt)).toBe('configmap/odd replaced\n');
    expect(await ok('get', 'cm', 'odd', '-o', 'jsonpath={.dat}')).toBe('');
    const text = await kubectl('patch', 'cm', 'odd', '-p', '{"data":{"a":7}}');
    expect(text.err).toContain('cannot unmarshal number into Go struct field ConfigMap.data of type string');
  });

  it('says who and what the cluster is', async () => {
    expect(await ok('cluster-info')).toContain(`Kubernetes control plane is running at`);
    expect(await ok('auth', 'can-i', '--list')).toMatch(/\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/);
    expect(JSON.parse(await ok('get', '--raw', '/'))).toHaveProperty(
      'paths',
      expect.arrayContaining(['/api/v1', '/version']),
    );
  });

  it('fails in one line where the sandbox has nothing', async () => {
    expect((await kubectl('create', 'deployment', 'd', '--image=x')).err).toContain(
      'the server could not find the requested resource',
    );
    expect((await kubectl('delete', 'namespace', 'default')).err).toContain('this namespace may not be deleted');
    expect((await kubectl('top', 'nodes')).err).toContain('Metrics API not available');
    await ok('create', '-f', await file('pod.yaml', manifests.slice(manifests.lastIndexOf('---'))));
    expect((await kubectl('exec', 'web', '--', 'ls')).err).toContain('the sandbox does not serve exec on pods');
  });
});
