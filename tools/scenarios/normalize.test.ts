import type { PersistentVolume, PersistentVolumeClaim, VolumeAttachment } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { createNameBook, type NameBook } from './name-book.ts';
import { normalizeLease, normalizeObject, normalizeText } from './normalize.ts';

/** What one run sees: the same objects, with other names and times. */
function run(digit: string): { names: NameBook; claim: PersistentVolumeClaim; volume: PersistentVolume } {
  const uid = `${digit.repeat(8)}-1111-4222-8333-444444444444`;
  const created = { creationTimestamp: `2026-01-0${digit}T00:00:00Z`, resourceVersion: digit };
  const claim: PersistentVolumeClaim = {
    metadata: { name: 'data', namespace: 'n', uid, ...created },
    spec: { volumeName: `pvc-${uid}` },
  };
  const volume: PersistentVolume = {
    metadata: { name: `pvc-${uid}`, uid: uid.replace('4444', '5555'), finalizers: ['b', 'a'], ...created },
    spec: {
      claimRef: { name: 'data', namespace: 'n', uid, resourceVersion: digit },
      csi: {
        driver: 'd',
        volumeHandle: `pvc-${uid}`,
        volumeAttributes: { identity: `176000000000${digit}-12${digit}4-d` },
      },
    },
  };
  const attachment: VolumeAttachment = {
    metadata: { name: `csi-${digit.repeat(64)}`, uid: uid.replace('4444', '6666'), ...created },
    spec: { attacher: 'd', nodeName: 'node-a', source: { persistentVolumeName: `pvc-${uid}` } },
  };
  const names = createNameBook();
  names.learnClaim(claim);
  names.learnVolume(volume);
  names.learnAttachment(attachment);
  return { names, claim, volume };
}

describe('what two runs leave', () => {
  it('is equal where only names, times and versions differ', () => {
    const [one, two] = [run('1'), run('2')];
    expect(normalizeObject(one.volume, one.names)).toEqual(normalizeObject(two.volume, two.names));
    expect(normalizeObject(one.claim, one.names)).toEqual(normalizeObject(two.claim, two.names));
  });

  it('is told apart by what was written', () => {
    const [one, two] = [run('1'), run('2')];
    two.volume.metadata.finalizers = ['a'];
    expect(normalizeObject(one.volume, one.names)).not.toEqual(normalizeObject(two.volume, two.names));
  });

  it('keeps the names that a person would use', () => {
    const { names } = run('1');
    const text = `bound pvc-${'1'.repeat(8)}-1111-4222-8333-444444444444 by csi-${'1'.repeat(64)}`;
    expect(normalizeText(text, names)).toBe('bound <volume of data> by <attachment of <volume of data> to node-a>');
  });

  it('names an attachment after the handle: a second volume of the same one has attachments of the same name', () => {
    const { names, volume } = run('1');
    const nameOn = (nodeName: string): string => {
      const name = `csi-of-${nodeName}`;
      const metadata = { name, uid: '', resourceVersion: '', creationTimestamp: '' };
      const source = { persistentVolumeName: 'by-hand' };
      names.learnAttachment({ metadata, spec: { attacher: 'd', nodeName, source } });
      return normalizeText(name, names);
    };
    names.learnVolume({ ...volume, metadata: { ...volume.metadata, name: 'by-hand' } });
    expect(nameOn('node-b')).toBe('<attachment of <volume of data> to node-b>');
  });

  it('says of a lease whether it is held, not since when', () => {
    const lease = (holderIdentity: string, renewTime: string): unknown =>
      normalizeLease(
        {
          metadata: { name: 'l', uid: 'u', resourceVersion: '1', creationTimestamp: renewTime },
          spec: { holderIdentity, renewTime, leaseDurationSeconds: 15, leaseTransitions: 3 },
        },
        createNameBook(),
      );
    expect(lease('a', '2026-01-01T00:00:00Z')).toEqual(lease('b', '2026-01-02T00:00:00Z'));
    expect(lease('', '2026-01-01T00:00:00Z')).not.toEqual(lease('b', '2026-01-01T00:00:00Z'));
  });
});
