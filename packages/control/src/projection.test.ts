import { expect, it } from 'vitest';
import { pick, projectHead } from './projection.ts';

const metadata = {
  name: 'data',
  namespace: 'team-a',
  uid: 'uid-1',
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { ...metadata, annotations: { a: '1', b: '2' }, labels: { app: 'db' }, finalizers: ['f'] },
  spec: { volumeName: 'pv-1' },
};

it('keeps what identifies an object, and of its metadata what is asked for', () => {
  const { apiVersion, kind } = claim;
  expect(projectHead(claim)).toStrictEqual({ apiVersion, kind, metadata });
  expect(projectHead(claim, { annotations: ['a', 'none'], hasFinalizers: true, hasLabels: true })).toStrictEqual({
    apiVersion,
    kind,
    metadata: { ...metadata, finalizers: ['f'], labels: { app: 'db' }, annotations: { a: '1' } },
  });
});

it('keeps that an object is being deleted', () => {
  const deleted = { metadata: { ...metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } };
  expect(projectHead(deleted)).toStrictEqual(deleted);
});

it('picks fields that are set, an empty one too', () => {
  interface Source {
    fsType?: string;
    readOnly?: boolean;
    volumeHandle: string;
  }
  const source: Source = { fsType: '', volumeHandle: 'vol-1' };
  const none: Source | undefined = undefined;
  expect(pick(source, 'fsType', 'readOnly')).toStrictEqual({ fsType: '' });
  expect(pick<Source, 'fsType'>(none, 'fsType')).toStrictEqual({});
});
