import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ContainerFixture,
  containerOf,
  createContainerFixture,
  exited,
  isAttached,
  logged,
  logOf,
  podUid,
  processesWith,
  run,
} from './container-fixture.ts';

const soon = { timeout: 20_000, interval: 20 };

let fixture: ContainerFixture;
beforeEach(async () => {
  fixture = await createContainerFixture();
});
afterEach(() => fixture.cleanUp());

describe('a running container', () => {
  it('holds no mount of this machine but its own volumes', async () => {
    const [own, other] = [await fixture.mountDisk('own'), await fixture.mountDisk('other')];
    const runtime = fixture.open();
    const mounts = [{ source: own.path, target: '/data', isReadOnly: false }];
    await runtime.start(containerOf('echo up; exec sleep 1000', { mounts }));
    await logged(runtime, 'up');

    run('umount', other.path);
    run('losetup', '--detach', other.device);
    expect(isAttached(other.device)).toBe(false);
    // Its own is held: the device is freed only when the container has ended.
    run('umount', own.path);
    run('losetup', '--detach', own.device);
    expect(isAttached(own.device)).toBe(true);
    runtime.signal(podUid, 'app', 'SIGKILL');
    await exited(runtime);
    expect(isAttached(own.device)).toBe(false);
  });

  it('gets no mount that this machine makes later, not even below a volume of its own', async () => {
    const own = await fixture.mountDisk('own');
    run('mount', '--make-shared', own.path);
    const runtime = fixture.open();
    const mounts = [{ source: own.path, target: '/data', isReadOnly: false }];
    await runtime.start(containerOf('echo up; exec sleep 1000', { mounts }));
    await logged(runtime, 'up');
    const late = await fixture.mountDisk('own/late');
    const { stdout } = await runtime.exec(podUid, 'app', ['cat', '/proc/self/mountinfo'], AbortSignal.timeout(10_000));
    expect(stdout).toContain(` /data rw`);
    expect(stdout).not.toContain(late.device);
    run('umount', late.path);
    run('losetup', '--detach', late.device);
    expect(isAttached(late.device)).toBe(false);
  });
});

describe('the end of a container', () => {
  it('gives its exit code, and its words on both streams in the log of that start', async () => {
    const runtime = fixture.open();
    await runtime.start(containerOf('echo out; echo err >&2; exit 7'));
    expect(await exited(runtime)).toMatchObject({ exitCode: 7, restarts: 0 });
    await runtime.start(containerOf('echo again', { restarts: 1 }));
    expect(await exited(runtime)).toMatchObject({ exitCode: 0, restarts: 1 });
    expect(readFileSync(join(fixture.dir, '0.log'), 'utf8')).toBe('out\nerr\n');
    expect(readFileSync(join(fixture.dir, '1.log'), 'utf8')).toBe('again\n');
  });

  it('names a program that is not there', async () => {
    const runtime = fixture.open();
    await runtime.start(containerOf('', { command: ['no-such=program'] }));
    expect((await exited(runtime)).exitCode).toBe(127);
    expect(logOf(runtime)).toContain('no-such=program');
  });

  it('can be prepared by the container on SIGTERM', async () => {
    const runtime = fixture.open();
    await runtime.start(containerOf('trap "echo bye; exit 3" TERM; echo up; sleep 1000 & wait'));
    await logged(runtime, 'up');
    runtime.signal(podUid, 'app', 'SIGTERM');
    expect((await exited(runtime)).exitCode).toBe(3);
    expect(logOf(runtime)).toBe('up\nbye\n');
  });

  it('comes by SIGKILL to one that ignores SIGTERM, and to all it started', async () => {
    const runtime = fixture.open();
    const script =
      'trap "" TERM; setsid sleep 98765.1 & sleep 98765.1 & trap "echo heard" TERM; echo up; wait; wait; sleep 98765.1';
    await runtime.start(containerOf(script));
    await logged(runtime, 'up');
    await vi.waitFor(() => expect(processesWith('98765.1')).toHaveLength(2), soon);
    runtime.signal(podUid, 'app', 'SIGTERM');
    await logged(runtime, 'heard');
    expect(runtime.state(podUid, 'app').kind).toBe('running');
    runtime.signal(podUid, 'app', 'SIGKILL');
    expect((await exited(runtime)).exitCode).toBe(137);
    expect(processesWith('98765.1')).toEqual([]);
    expect(logOf(runtime)).toBe('up\nheard\n');
  });

  it('is not believed while a process is left', async () => {
    const runtime = fixture.open();
    await runtime.start(containerOf('echo up; exec sleep 98765.2'));
    await logged(runtime, 'up');
    const record = JSON.parse(readFileSync(join(fixture.dir, 'state.json'), 'utf8'));
    const heard = vi.fn();
    runtime.onExit(heard);
    process.kill(record.process.pid, 'SIGKILL');
    await vi.waitFor(() => expect(existsSync(`/proc/${record.process.pid}`)).toBe(false), soon);
    const later = fixture.open();
    await later.adopt();
    expect(later.state(podUid, 'app').kind).toBe('running');
    expect(processesWith('98765.2').length).toBeGreaterThan(0);
    later.signal(podUid, 'app', 'SIGTERM');
    await exited(later);
    await exited(runtime);
    expect(heard).toHaveBeenCalledExactlyOnceWith(podUid);
    expect(processesWith('98765.2')).toEqual([]);
  });
});

describe('a kubelet that starts again', () => {
  it('takes over what runs, and hears how it ends', async () => {
    const before = fixture.open();
    await before.start(containerOf('trap "exit 5" TERM; echo up; sleep 1000 & wait'));
    await logged(before, 'up');
    before.close();
    const runtime = fixture.open();
    const heard = vi.fn();
    runtime.onExit(heard);
    await runtime.adopt();
    expect(runtime.state(podUid, 'app')).toEqual(before.state(podUid, 'app'));
    expect(runtime.state(podUid, 'app').kind).toBe('running');
    runtime.signal(podUid, 'app', 'SIGTERM');
    expect((await exited(runtime)).exitCode).toBe(5);
    expect(heard).toHaveBeenCalledWith(podUid);
    expect(logOf(runtime)).toBe('up\n');
  });

  it('finds a process that was started but not yet written down', async () => {
    const before = fixture.open();
    await before.start(containerOf('echo up; exec sleep 1000'));
    await logged(before, 'up');
    const file = join(fixture.dir, 'state.json');
    const { process: _, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
    await writeFile(file, JSON.stringify(rest));
    const runtime = fixture.open();
    await runtime.adopt();
    expect(runtime.state(podUid, 'app').kind).toBe('running');
    runtime.signal(podUid, 'app', 'SIGKILL');
    expect((await exited(runtime)).exitCode).toBe(137);
  });

  it('learns the exit code of one that ended meanwhile, and when', async () => {
    const before = fixture.open();
    await before.start(containerOf('exit 9'));
    await exited(before);
    const runtime = fixture.open();
    await runtime.adopt();
    const file = join(fixture.dir, 'exit');
    expect(runtime.state(podUid, 'app')).toMatchObject({
      exitCode: 9,
      finishedAtMs: Math.round(statSync(file).mtimeMs),
    });
  });

  it('does not take another process for its own because the id is the same', async () => {
    const before = fixture.open();
    await before.start(containerOf('exit 0'));
    await exited(before);
    const record = JSON.parse(readFileSync(join(fixture.dir, 'state.json'), 'utf8'));
    await writeFile(
      join(fixture.dir, 'state.json'),
      JSON.stringify({ ...record, process: { pid: process.pid, startTicks: '1' } }),
    );
    await rm(join(fixture.dir, 'exit'));
    const runtime = fixture.open();
    await runtime.adopt();
    expect(runtime.state(podUid, 'app')).toMatchObject({ kind: 'exited', exitCode: 137 });
  });
});
