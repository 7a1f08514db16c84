import { pods } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, expect, test, vi } from 'vitest';
import { grows, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());

const modifying = { capabilities: { controller: ['EXPAND_VOLUME', 'MODIFY_VOLUME'] } } as const;
const slowly = ['--retry-interval-start=1h', '--retry-interval-max=1h'];

/** Asks until the answer has the words. */
async function answerWith(...words: RegExp[]): Promise<string> {
  return await vi.waitFor(
    async () => {
      const { status, text } = await rig.explain('?claim=default/data');
      expect(status).toBe(200);
      for (const word of words) expect(text).toMatch(word);
      return text;
    },
    { timeout: 10_000, interval: 20 },
  );
}

test('an expansion that fails has the driver’s words and when it is tried again', async () => {
  rig = await startRig();
  rig.driver.on('ControllerExpandVolume', () => Promise.reject(rpcError('Internal', 'the array is down')));
  await rig.start(...slowly);
  await rig.request('2Gi');
  const text = await answerWith(/last error: .*the array is down/);
  expect(text).toMatch(/to be done: +ControllerExpandVolume to 2Gi/);
  expect(text).toMatch(/now: +tried again in 60 min/);
  expect(text).toMatch(/asked for: +2Gi\n +has: +1Gi/);
  expect((await rig.explain()).text).toMatch(/^claim=default\/data expansion: to be done/m);
});

test('an impossible size waits for another one', async () => {
  rig = await startRig();
  rig.driver.on('ControllerExpandVolume', () => Promise.reject(rpcError('OutOfRange', 'at most 1Gi')));
  await rig.start(...slowly);
  await rig.request('2Gi');
  await answerWith(/waits for: +another size/, /last error: .*at most 1Gi/, /status: +ControllerResizeInfeasible/);
});

test('a volume in use names the pod, and one that is grown waits for kubelet', async () => {
  rig = await startRig();
  const { client } = rig.cluster;
  await client.create(pods, {
    metadata: { name: 'writer', namespace: 'default' },
    spec: {
      containers: [{ name: 'main', image: 'none' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  rig.driver.on('ControllerExpandVolume', () => Promise.reject(rpcError('FailedPrecondition', 'in use')));
  await rig.start();
  await rig.request('2Gi');
  await answerWith(/waits for: +the end of every pod/, /because: .*pod "writer" uses the volume/);
  rig.driver.on('ControllerExpandVolume', grows(undefined, true));
  await client.delete(pods, { name: 'writer', namespace: 'default' });
  await answerWith(/waits for: +kubelet/, /because: +the node has to finish the expansion/, /volume has: +2Gi/);
});

test('a class that is not there is named, and the size has nothing to do', async () => {
  rig = await startRig({ ...modifying });
  await rig.start();
  await rig.requestClass('gold');
  const text = await answerWith(
    /waits for: +VolumeAttributesClass gold/,
    /because: .*"gold" does not exist; create it/,
  );
  expect(text).toMatch(/expansion\n +nothing to do/);
  rig.driver.on('ControllerModifyVolume', () => Promise.resolve({}));
  await rig.createClass('gold', '100');
  await answerWith(/modification\n +nothing to do/, /has: +gold/);
});

test('a modification under way says since when', async () => {
  rig = await startRig({ ...modifying });
  const answer = Promise.withResolvers<object>();
  rig.driver.on('ControllerModifyVolume', () => answer.promise);
  await rig.createClass('gold', '100');
  await rig.start();
  await rig.requestClass('gold');
  await answerWith(/to be done: +ControllerModifyVolume to class gold/, /now: +in work for .* since \d{4}-/);
  answer.resolve({});
});
