import { secrets, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.stop());

/** Asks until the answer has the words. */
async function answerWith(query: string, ...words: (string | RegExp)[]): Promise<string> {
  return await vi.waitFor(
    async () => {
      const { status, text } = await rig.explain(query);
      expect(status).toBe(200);
      for (const word of words) expect(text).toMatch(word);
      return text;
    },
    { timeout: 10_000, interval: 20 },
  );
}

describe('asked for a claim, the provisioner', () => {
  it('names the class that is missing', async () => {
    await rig.start();
    await rig.createClaim('data');
    const text = await answerWith('?claim=default/data', /last error: +StorageClass fast does not exist/);
    expect(text).toMatch(/waits for: +somebody who changes the claim/);
    expect(text).toMatch(/because: +StorageClass fast does not exist: create it/);
    expect(text).toMatch(/now: +looked at again when something changes/);
  });

  it('says that the scheduler has yet to choose a node', async () => {
    await rig.createClass({ volumeBindingMode: 'WaitForFirstConsumer' });
    await rig.start();
    await rig.createClaim('data');
    await answerWith('?claim=default/data', /waits for: +the scheduler/);
  });

  it('has the driver’s last error and when it is tried again', async () => {
    rig.driver.on('CreateVolume', () => Promise.reject(rpcError('Unavailable', 'the array\nis rebooting')));
    await rig.createClass();
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=2h');
    await rig.createClaim('data');
    const text = await answerWith('?claim=default/data', /last error: .*the array is rebooting/);
    expect(text).toMatch(/to be done: +CreateVolume of pvc-/);
    expect(text).toMatch(/because: +the driver has not answered the last CreateVolume for good/);
    expect(text).toMatch(/now: +tried again in 60 min, at \d{4}-/);
    expect(text).toMatch(/failed tries: +1 in a row/);
  });

  it('says why it pauses after the driver called the parameters invalid', async () => {
    rig.driver.on('CreateVolume', () => Promise.reject(rpcError('InvalidArgument', 'no such tier')));
    await rig.createClass();
    await rig.start('--retry-interval-max=2h');
    await rig.createClaim('data');
    const text = await answerWith('?claim=default/data', /waits for: +the end of a pause/);
    expect(text).toMatch(/last error: .*no such tier/);
    expect(text).toMatch(/now: +tried again in 120 min/);
  });

  it('says since when the driver has been at work, also when the claim is gone', async () => {
    const answer = Promise.withResolvers<{ volume: undefined }>();
    rig.driver.on('CreateVolume', () => answer.promise);
    await rig.createClass();
    await rig.start('--timeout=1m');
    await rig.createClaim('data');
    await answerWith('?claim=default/data', /now: +in work for .* since \d{4}-/, /volume begun: +pvc-/);
    await rig.deleteClaim('data');
    await answerWith('?claim=default/data', /claim: +it is gone/, /now: +in work/);
    expect((await rig.explain()).text).toMatch(/^claim=default\/data provisioning .* in work for/m);
    answer.resolve({ volume: undefined });
  });

  it('names the secret that is missing, and never shows one that is there', async () => {
    const where = 'csi.storage.k8s.io/provisioner-secret';
    await rig.createClass({ parameters: { [`${where}-name`]: 'login', [`${where}-namespace`]: 'default' } });
    rig.driver.on('CreateVolume', (request) =>
      Promise.reject(rpcError('Unavailable', `login failed with ${JSON.stringify(request.secrets)}`)),
    );
    await rig.start();
    await rig.createClaim('data');
    await answerWith('?claim=default/data', /last error: +.*Secret "default\/login".* does not exist/);
    await rig.cluster.client.create(secrets, {
      metadata: { name: 'login', namespace: 'default' },
      data: { password: Buffer.from('correct-horse').toString('base64') },
    });
    const text = await answerWith('?claim=default/data', /last error: .*login failed/);
    expect(text).toMatch(/secret: +default\/login/);
    expect(text + (await rig.explain()).text).not.toMatch(/correct-horse/);
  });

  it('has nothing to say of one that is provisioned, and does not know one that is not there', async () => {
    await rig.createClass();
    await rig.start();
    await rig.createClaim('data');
    await answerWith('?claim=default/data', /waits for: +kube-controller-manager, which binds/);
    const { status, text } = await rig.explain('?claim=default/other');
    expect(status).toBe(404);
    expect(text).toMatch(/No PersistentVolumeClaim default\/other is known here/);
  });

  it('asks nobody to answer', async () => {
    await rig.start();
    await rig.createClaim('data');
    await answerWith('?claim=default/data', /last error/);
    await vi.waitFor(async () => expect((await rig.eventsOf('data')).length).toBe(1));
    const before = rig.cluster.requests.filter(({ userAgent }) => userAgent === rig.userAgent).length;
    await rig.explain('?claim=default/data');
    await rig.explain();
    expect(rig.cluster.requests.filter(({ userAgent }) => userAgent === rig.userAgent)).toHaveLength(before);
  });
});

describe('asked for a volume that is to be deleted, the provisioner', () => {
  async function releasedVolume(): Promise<string> {
    await rig.createClass();
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await vi.waitFor(async () => expect(await rig.volume(name)).toBeDefined());
    return name;
  }

  it('names the nodes that it is still attached to', async () => {
    const name = await releasedVolume();
    await rig.cluster.client.create(volumeAttachments, {
      metadata: { name: 'va' },
      spec: { attacher: rig.driver.name, nodeName: 'node-1', source: { persistentVolumeName: name } },
    });
    await rig.release(name);
    const text = await answerWith(`?volume=${name}`, /because: +still attached to node-1/);
    expect(text).toMatch(/waits for: +the end of every VolumeAttachment/);
    expect((await rig.explain()).text).toContain(`volume=${name} deletion: waits for`);
  });

  it('has the driver’s refusal', async () => {
    const name = await releasedVolume();
    rig.driver.on('DeleteVolume', () => Promise.reject(rpcError('FailedPrecondition', 'it has snapshots')));
    await rig.release(name);
    const text = await answerWith(`?volume=${name}`, /last error: .*it has snapshots/);
    expect(text).toMatch(new RegExp(`to be done: +DeleteVolume of vol-${name}`));
    expect(text).toMatch(/now: +tried again in 60 min/);
  });
});
