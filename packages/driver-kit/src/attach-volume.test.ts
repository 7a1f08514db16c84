import { ControllerPublishVolumeRequest } from '@holdfast/csi-spec';
import { RpcError } from '@holdfast/rpc';
import { array, assert, asyncProperty, constantFrom, integer, record, scheduler } from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { attachHandlers } from './attach-volume.ts';
import { createVolumeLocks } from './locks.ts';
import { plainVolume } from './plain-volume.ts';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';
import { mountCapability, options, type ServedKit, serveKit } from './testing/served-memory.ts';

const context = { method: 'ControllerPublishVolume', signal: new AbortController().signal };

const requestOf = (volumeId: string) =>
  ControllerPublishVolumeRequest.fromPartial({ volumeId, nodeId: 'a', volumeCapability: mountCapability });

function backendOf(count: number): MemoryBackend {
  const backend = createMemoryBackend();
  for (let index = 0; index < count; index += 1) {
    const id = `v${index}`;
    backend.volumes.set(id, plainVolume({ id, name: id, capacityBytes: 1024n }));
  }
  return backend;
}

function attachedTo(backend: MemoryBackend): number {
  return [...backend.volumes.values()].filter(({ attachments }) => attachments.length > 0).length;
}

describe('attachments that take long', () => {
  let kit: ServedKit | undefined;
  afterEach(async () => {
    await kit?.stop();
    kit = undefined;
  });

  /** Each attachment waits for its own word. */
  async function serveSlow(count: number) {
    const backend = backendOf(count);
    const attachNow = backend.attachVolume;
    if (attachNow === undefined) throw new Error('the backend attaches');
    const under = new Map<string, PromiseWithResolvers<void>>();
    const wordOf = (id: string) => {
      const known = under.get(id) ?? Promise.withResolvers<void>();
      under.set(id, known);
      return known;
    };
    const begun = new Set<string>();
    const waiting = new Map<string, () => void>();
    const served = await serveKit({
      ...backend,
      async attachVolume(volume, attachment, access) {
        begun.add(volume.id);
        waiting.get(volume.id)?.();
        await wordOf(volume.id).promise;
        return attachNow(volume, attachment, access);
      },
    });
    kit = served;
    return {
      backend,
      begun,
      attach: (id: string) => served.controller.controllerPublishVolume(requestOf(id), options),
      whenBegun: (id: string) =>
        begun.has(id) ? Promise.resolve() : new Promise<void>((resolve) => void waiting.set(id, resolve)),
      finish: (id: string) => wordOf(id).resolve(),
      fail: (id: string) => wordOf(id).reject(new Error('the storage is away')),
    };
  }

  it('run side by side on one node', async () => {
    const { attach, whenBegun, finish } = await serveSlow(2);
    const both = [attach('v0'), attach('v1')];
    await Promise.all([whenBegun('v0'), whenBegun('v1')]);
    finish('v1');
    await both[1];
    finish('v0');
    await both[0];
  });

  it('turn a second call for the same volume away, and repeat what is done', async () => {
    const { attach, whenBegun, finish } = await serveSlow(1);
    const first = attach('v0');
    await whenBegun('v0');
    await expect(attach('v0')).rejects.toMatchObject({ code: 'Aborted' });
    finish('v0');
    await first;
    expect(await attach('v0')).toEqual(await first);
  });

  it('let the next one have the place of one that fails', async () => {
    const { backend, begun, attach, whenBegun, finish, fail } = await serveSlow(3);
    const first = attach('v0');
    const second = attach('v1');
    await Promise.all([whenBegun('v0'), whenBegun('v1')]);
    const third = attach('v2');
    finish('v1');
    await second;
    expect(begun.has('v2')).toBe(false);
    fail('v0');
    await expect(first).rejects.toMatchObject({ code: 'Internal' });
    await whenBegun('v2');
    finish('v2');
    await third;
    expect(attachedTo(backend)).toBe(2);
  });

  it('never exceed the limit, and are refused only where it is reached', async () => {
    const volume = record({
      outcome: constantFrom('attached', 'failed', 'seen at once'),
      calls: integer({ min: 1, max: 2 }),
    });
    await assert(
      asyncProperty(
        scheduler(),
        array(volume, { minLength: 1, maxLength: 6 }),
        integer({ min: 1, max: 3 }),
        async (s, all, maxVolumes) => {
          const backend = backendOf(all.length);
          const attachNow = backend.attachVolume;
          if (attachNow === undefined) throw new Error('the backend attaches');
          const step = (what: string) => s.schedule(Promise.resolve(), what);
          const handlers = attachHandlers({
            locks: createVolumeLocks(),
            backend: {
              ...backend,
              async findVolume(id) {
                await step(`find ${id}`);
                return backend.volumes.get(id);
              },
              async findNode() {
                await step('count');
                const attachedVolumes = attachedTo(backend);
                await step('counted');
                return { maxVolumes, attachedVolumes };
              },
              async attachVolume(one, attachment, access) {
                const outcome = all[Number(one.id.slice(1))]?.outcome;
                if (outcome === 'seen at once') await attachNow(one, attachment, access);
                await step(`attach ${one.id}`);
                if (outcome === 'failed') throw new Error('the storage is away');
                const context = await attachNow(one, attachment, access);
                expect(attachedTo(backend)).toBeLessThanOrEqual(maxVolumes);
                await step(`attached ${one.id}`);
                return context;
              },
            },
          });
          const attach = async (id: string): Promise<void> => {
            const refused = await handlers.controllerPublishVolume?.(requestOf(id), context).then(
              () => undefined,
              (error: unknown) => error,
            );
            if (refused === undefined) expect(backend.volumes.get(id)?.attachments).toHaveLength(1);
            else if (refused instanceof RpcError && refused.code === 'ResourceExhausted')
              expect(attachedTo(backend)).toBe(maxVolumes);
            else if (!(refused instanceof RpcError && refused.code === 'Aborted'))
              expect(refused).toMatchObject({ message: 'the storage is away' });
          };
          const calls = all.flatMap(({ calls: times }, index) =>
            Array.from({ length: times }, () => attach(`v${index}`)),
          );
          await s.waitFor(Promise.all(calls));
          const possible = all.filter(({ outcome }) => outcome !== 'failed').length;
          expect(attachedTo(backend)).toBe(Math.min(possible, maxVolumes));
        },
      ),
    );
  });
});
