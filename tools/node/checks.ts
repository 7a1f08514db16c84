// What people do with volumes, on a real kubelet. Each check makes what it needs and takes it away.

import { nodeName } from './kubelet.ts';
import { claim, pod } from './manifests.ts';
import type { NodeWorld } from './node-world.ts';
import { attachLimit, startsOwnPods } from './release.ts';

export interface Check {
  readonly name: string;
  readonly run: (world: NodeWorld) => Promise<void>;
}

const write = 'head -c 1000000 /dev/urandom > /data/bytes && sync && sha256sum < /data/bytes';
const read = 'sha256sum < /data/bytes';

export const checks: readonly Check[] = [
  {
    name: 'a claim, and a file that survives its pod',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('writer', 'data'));
      await untilRunning('writer');
      const written = await inPod('writer', write);
      await remove('pod/writer');
      await apply(pod('reader', 'data'));
      await untilRunning('reader');
      equal(await inPod('reader', read), written);
      await remove('pod/reader', 'pvc/data');
    },
  },
  {
    name: 'expansion while the pod runs',
    async run({ apply, untilRunning, inPod, until, kubectl, value, remove }) {
      await apply(claim('data', { className: 'xfs', size: '300Mi' }));
      await apply(pod('user', 'data'));
      await untilRunning('user');
      const sizeOf = async (): Promise<number> =>
        Number((await inPod('user', 'df -k /data')).trim().split(/\s+/).at(-5));
      const before = await sizeOf();
      await kubectl('patch', 'pvc', 'data', '-p', '{"spec":{"resources":{"requests":{"storage":"450Mi"}}}}');
      await until('the file system to be larger', async () => ((await sizeOf()) > before + 100_000 ? true : undefined));
      await until('the claim to say so', async () =>
        (await value('pvc/data', '{.status.capacity.storage}')) === '450Mi' ? true : undefined,
      );
      await remove('pod/user', 'pvc/data');
    },
  },
  {
    name: 'raw block',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(claim('raw', { className: 'ext4', size: '16Mi', isBlock: true }));
      await apply(pod('raw', 'raw', { isBlock: true }));
      await untilRunning('raw');
      const copy =
        'dd if=/bin/busybox of=/dev/data bs=4096 count=64 2>/dev/null && sync && head -c 262144 /dev/data | sha256sum';
      equal(await inPod('raw', copy), await inPod('raw', 'head -c 262144 /bin/busybox | sha256sum'));
      await remove('pod/raw', 'pvc/raw');
    },
  },
  {
    name: 'read-only',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('reader', 'data', { isReadOnly: true }));
      await untilRunning('reader');
      match(await inPod('reader', 'touch /data/file 2>&1 || true'), /Read-only file system/);
      await remove('pod/reader', 'pvc/data');
    },
  },
  {
    name: 'fsGroup',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('user', 'data', { security: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 } }));
      await untilRunning('user');
      equal((await inPod('user', 'touch /data/file && stat -c "%u %g" /data/file')).trim(), '1000 2000');
      await remove('pod/user', 'pvc/data');
    },
  },
  {
    name: 'two pods of one node',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('first', 'data'));
      await apply(pod('second', 'data'));
      await untilRunning('first', 'second');
      const written = await inPod('first', write);
      equal(await inPod('second', read), written);
      await remove('pod/first');
      match(await inPod('second', read), /^[0-9a-f]{64}/);
      await remove('pod/second', 'pvc/data');
    },
  },
  {
    name: 'a volume that is part of its pod',
    async run({ apply, untilRunning, inPod, remove }) {
      await apply(pod('inline', undefined));
      await untilRunning('inline');
      match(await inPod('inline', write), /^[0-9a-f]{64}/);
      await remove('pod/inline');
    },
  },
  {
    name: 'the attach limit',
    async run({ apply, untilRunning, until, value, remove }) {
      const names = Array.from({ length: attachLimit + 1 }, (_, at) => `limit-${at}`);
      for (const name of names) await apply(claim(name, { className: 'ext4', size: '16Mi' }));
      const last = names.at(-1) ?? '';
      for (const name of names.slice(0, -1)) await apply(pod(name, name));
      await untilRunning(...names.slice(0, -1));
      await apply(pod(last, last));
      await until('the scheduler to say why the last one waits', async () =>
        /exceed max volume count/.test(
          await value(`pod/${last}`, '{.status.conditions[?(@.type=="PodScheduled")].message}'),
        )
          ? true
          : undefined,
      );
      await remove('pod/limit-0');
      await untilRunning(last);
      await remove(...names.slice(1).map((name) => `pod/${name}`));
      await remove(...names.map((name) => `pvc/${name}`));
    },
  },
  {
    name: 'the driver is restarted while pods run',
    async run(world) {
      const { apply, untilRunning, inPod, kubectl, remove } = world;
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('user', 'data'));
      await untilRunning('user');
      const written = await inPod('user', write);
      await kubectl('delete', 'pod', '-n', 'holdfast-system', '-l', 'app.kubernetes.io/component in (node,controller)');
      equal(await inPod('user', read), written);
      await startsOwnPods(world);
      await apply(pod('other', 'data'));
      await untilRunning('other');
      equal(await inPod('other', read), written);
      await remove('pod/user', 'pod/other', 'pvc/data');
    },
  },
  {
    name: 'the node is drained',
    async run({ apply, untilRunning, inPod, kubectl, until, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('user', 'data'));
      await untilRunning('user');
      const written = await inPod('user', write);
      await kubectl('drain', nodeName, '--ignore-daemonsets', '--force', '--pod-selector=!app.kubernetes.io/instance');
      await until('the volume to be detached', async () =>
        (await kubectl('get', 'volumeattachments', '-o', 'name')) === '' ? true : undefined,
      );
      await kubectl('uncordon', nodeName);
      await apply(pod('user', 'data'));
      await untilRunning('user');
      equal(await inPod('user', read), written);
      await remove('pod/user', 'pvc/data');
    },
  },
  {
    name: 'kubelet is restarted',
    async run({ apply, untilRunning, inPod, kubelet, remove }) {
      await apply(claim('data', { className: 'ext4', size: '64Mi' }));
      await apply(pod('user', 'data'));
      await untilRunning('user');
      const written = await inPod('user', write);
      await kubelet.kill();
      await kubelet.start();
      await apply(pod('other', 'data'));
      await untilRunning('user', 'other');
      equal(await inPod('other', read), written);
      await remove('pod/user', 'pod/other', 'pvc/data');
    },
  },
];

function equal(is: string, wanted: string): void {
  if (is !== wanted) throw new Error(`it is ${JSON.stringify(is)} and not ${JSON.stringify(wanted)}`);
}

function match(is: string, wanted: RegExp): void {
  if (!wanted.test(is)) throw new Error(`it is ${JSON.stringify(is)}, which does not match ${wanted}`);
}
