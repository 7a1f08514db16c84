import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ContainerFixture,
  containerOf,
  createContainerFixture,
  exited,
  logOf,
  podUid,
  run,
} from './container-fixture.ts';

let fixture: ContainerFixture;
beforeEach(async () => {
  fixture = await createContainerFixture();
});
afterEach(() => fixture.cleanUp());

describe('what a container sees', () => {
  it('finds a volume at its mountPath and leaves what it writes in the volume', async () => {
    const disk = await fixture.mountDisk('disk');
    const runtime = fixture.open();
    const mounts = [{ source: disk.path, target: '/data/deep', isReadOnly: false }];
    await runtime.start(
      containerOf('echo hello > /data/deep/file; df --output=source /data/deep | tail -1', { mounts }),
    );
    expect((await exited(runtime)).exitCode).toBe(0);
    expect(readFileSync(join(disk.path, 'file'), 'utf8')).toBe('hello\n');
    expect(logOf(runtime)).toBe(`${disk.device}\n`);
  });

  it('cannot write to a volume mounted read-only, nor to what it sees of this machine', async () => {
    const disk = await fixture.mountDisk('disk');
    await writeFile(join(disk.path, 'file'), 'old');
    const runtime = fixture.open();
    const mounts = [{ source: disk.path, target: '/data', isReadOnly: true }];
    const script =
      'cat /data/file; for f in /data/file /etc/holdfast-probe /usr/holdfast-probe; do echo new > $f; done';
    await runtime.start(containerOf(`${script}; true`, { mounts }));
    await exited(runtime);
    expect(logOf(runtime).match(/Read-only file system/g)).toHaveLength(3);
    expect(logOf(runtime)).toMatch(/^old/);
    expect(readFileSync(join(disk.path, 'file'), 'utf8')).toBe('old');
    expect(existsSync('/etc/holdfast-probe') || existsSync('/usr/holdfast-probe')).toBe(false);
  });

  it('sees no other mount, no other folder and no other process of this machine', async () => {
    const disk = await fixture.mountDisk('disk');
    const runtime = fixture.open();
    await runtime.start(
      containerOf(`cat /proc/self/mountinfo; ls -d ${fixture.root} /root/*; ls -d /proc/[0-9]* | wc -l; true`),
    );
    await exited(runtime);
    expect(logOf(runtime)).not.toContain(disk.device);
    expect(logOf(runtime)).not.toMatch(new RegExp(`^${fixture.root}`, 'm'));
    expect(Number(logOf(runtime).trim().split('\n').at(-1))).toBeLessThan(6);
  });

  it('gets a block device as a file at its devicePath', async () => {
    const disk = await fixture.mountDisk('disk');
    run('umount', disk.path);
    const runtime = fixture.open();
    const mounts = [{ source: disk.device, target: '/dev/xvda', isReadOnly: false }];
    await runtime.start(
      containerOf('[ -b /dev/xvda ] && printf raw | dd of=/dev/xvda conv=fsync 2>/dev/null', { mounts }),
    );
    expect((await exited(runtime)).exitCode).toBe(0);
    expect(readFileSync(join(fixture.root, 'disk.img')).subarray(0, 3).toString()).toBe('raw');
  });

  it('takes every path, argument and setting as it is', async () => {
    const odd = `a b'"$(touch ${fixture.root}/pwned)\n\\;*`;
    const source = join(fixture.root, 'vol', odd.replaceAll('/', '_'));
    await mkdir(source, { recursive: true });
    await symlink(source, join(fixture.root, 'link'));
    const runtime = fixture.open();
    const mounts = [
      { source: join(fixture.root, 'link'), target: `/mnt/${odd.replaceAll('/', '_')}`, isReadOnly: false },
    ];
    const env = { 'my.name': odd, LD_PRELOAD: '', PATH: '/usr/bin:/bin' };
    const command = ['sh', '-c', 'touch "$1/made"; pwd', 'sh', mounts[0]?.target ?? ''];
    await runtime.start(containerOf('', { mounts, env, command, workingDir: '/tmp' }));
    expect((await exited(runtime)).exitCode).toBe(0);
    expect(logOf(runtime)).toBe('/tmp\n');
    expect(existsSync(join(source, 'made'))).toBe(true);
    await runtime.start(containerOf('', { env, command: ['env'], restarts: 1 }));
    await exited(runtime);
    expect(logOf(runtime)).toBe(`PATH=/usr/bin:/bin\nmy.name=${odd}\nLD_PRELOAD=\n`);
    expect(existsSync(join(fixture.root, 'pwned'))).toBe(false);
  });

  it('runs as the user and groups it asks for', async () => {
    const runtime = fixture.open();
    await runtime.start(containerOf('id -u; id -g; id -G', { user: 1234, group: 2345, groups: [3456] }));
    await exited(runtime);
    expect(logOf(runtime)).toBe('1234\n2345\n2345 3456\n');
  });

  it('is refused in plain words when a volume is not there', async () => {
    const runtime = fixture.open();
    const mounts = [{ source: join(fixture.root, 'nothing'), target: '/data', isReadOnly: false }];
    await expect(runtime.start(containerOf('true', { mounts }))).rejects.toThrow(
      /container app wants at \/data .*ENOENT/,
    );
    expect(runtime.state(podUid, 'app').kind).toBe('none');
  });
});

describe('without root', () => {
  const script = `
    import { readFileSync } from 'node:fs';
    import { mkdir, mkdtemp, rm } from 'node:fs/promises';
    import { createNamespaceRuntime } from ${JSON.stringify(new URL('namespace-runtime.ts', import.meta.url).href)};
    import { createPaths } from ${JSON.stringify(new URL('../paths.ts', import.meta.url).href)};
    import { silentLogger } from ${JSON.stringify(import.meta.resolve('@holdfast/core'))};
    const root = await mkdtemp('/tmp/holdfast-pods-');
    const runtime = createNamespaceRuntime({ paths: createPaths(root), log: silentLogger });
    const ended = Promise.withResolvers();
    const alive = setInterval(() => {}, 1_000);
    runtime.onExit(ended.resolve);
    await mkdir(root + '/rw');
    await mkdir(root + '/ro');
    const command = ['sh', '-c', 'echo kept > /data/file; echo lost > /fixed/file; echo lost > /etc/probe; [ -r /proc/self/stat ] && echo > /dev/null && exit 4'];
    const mounts = [
      { source: root + '/rw', target: '/data', isReadOnly: false },
      { source: root + '/ro', target: '/fixed', isReadOnly: true },
    ];
    const spec = { podUid: 'uid', name: 'app', command, env: {}, workingDir: '/', mounts, user: undefined, group: undefined, groups: [], restarts: 0 };
    await runtime.start(spec);
    await ended.promise;
    const killed = Promise.withResolvers();
    runtime.onExit(killed.resolve);
    await runtime.start({ ...spec, name: 'endless', command: ['sleep', '98765.3'] });
    const again = setInterval(() => runtime.signal('uid', 'endless', 'SIGKILL'), 50);
    await killed.promise;
    clearInterval(again);
    clearInterval(alive);
    runtime.close();
    const log = readFileSync(runtime.logPath('uid', 'app'), 'utf8');
    console.log(JSON.stringify({ uid: readFileSync('/proc/self/uid_map', 'utf8').trim().split(/ +/), state: runtime.state('uid', 'app'), endless: runtime.state('uid', 'endless'), log, kept: readFileSync(root + '/rw/file', 'utf8') }));
    await rm(root, { recursive: true });
  `;

  it('runs containers inside a user namespace', () => {
    const node = [process.execPath, '--input-type=module', '-e', script];
    // A user namespace of nobody's; where the source cannot be read by others, one of root's, which has no more rights.
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    const { status } = spawnSync('setpriv', [...asNobody, 'test', '-r', import.meta.filename]);
    const identity = status === 0 ? asNobody : ['--'];
    const seen = JSON.parse(run('setpriv', ...identity, 'unshare', '--map-root-user', '--mount', '--', ...node));
    expect(seen.uid).toEqual(['0', status === 0 ? '65534' : '0', '1']);
    expect(seen.log.match(/\/(fixed\/file|etc\/probe): Read-only file system/g) ?? seen.log).toHaveLength(2);
    expect(seen.state).toMatchObject({ kind: 'exited', exitCode: 4 });
    expect(seen.endless).toMatchObject({ kind: 'exited', exitCode: 137 });
    expect(seen.kept).toBe('kept\n');
  });
});
