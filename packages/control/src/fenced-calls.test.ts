import { expect, it } from 'vitest';
import { FenceError } from './fence.ts';
import { fencedCalls } from './fenced-calls.ts';

const made: string[] = [];
const calls = {
  async create(name: string, sizeBytes: bigint) {
    made.push(name);
    return { name, sizeBytes };
  },
};

it('passes a call on while the fence is held, and makes none once it is not', async () => {
  let isHeld = true;
  const fenced = fencedCalls(calls, {
    get isHeld() {
      return isHeld;
    },
    check() {
      if (!isHeld) throw new FenceError('no longer ours');
    },
  });
  expect(await fenced.create('a', 1n)).toEqual({ name: 'a', sizeBytes: 1n });
  isHeld = false;
  await expect(fenced.create('b', 1n)).rejects.toBeInstanceOf(FenceError);
  expect(made).toEqual(['a']);
});
