import type { NodeGetInfoResponse } from '@holdfast/csi-spec';
import type { Node } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { type DriverEntry, driverEntry, missingLabels, NodeInfoError, withDriver, withoutDriver } from './csi-node.ts';
import { refusal } from './registration.ts';
import { compareSockets } from './sockets.ts';

const entry = (name: string, over: Partial<DriverEntry> = {}): DriverEntry => ({
  name,
  nodeID: 'id',
  topologyKeys: ['zone'],
  ...over,
});

describe('driverEntry', () => {
  const info = (over: Partial<NodeGetInfoResponse>): NodeGetInfoResponse => ({
    nodeId: 'id',
    maxVolumesPerNode: 0n,
    accessibleTopology: undefined,
    ...over,
  });

  it.each<[Partial<NodeGetInfoResponse>, DriverEntry]>([
    [{}, entry('d', { topologyKeys: [] })],
    [{ accessibleTopology: { segments: { zone: 'a', rack: 'b' } } }, entry('d', { topologyKeys: ['rack', 'zone'] })],
    [{ maxVolumesPerNode: 16n }, entry('d', { topologyKeys: [], allocatable: { count: 16 } })],
    [{ maxVolumesPerNode: 1n << 40n }, entry('d', { topologyKeys: [], allocatable: { count: 2_147_483_647 } })],
    [{ nodeId: 'x'.repeat(256) }, entry('d', { topologyKeys: [], nodeID: 'x'.repeat(256) })],
  ])('%#', (over, expected) => {
    expect(driverEntry('d', info(over))).toEqual(expected);
  });

  it('counts the node id in bytes', () => {
    expect(() => driverEntry('d', info({ nodeId: 'é'.repeat(129) }))).toThrow(NodeInfoError);
  });
});

describe('withDriver', () => {
  const others = [entry('a'), entry('d', { nodeID: 'old' }), entry('z')];

  it('replaces the entry and keeps the others', () => {
    expect(withDriver(others, entry('d'))?.toSorted((x, y) => x.name.localeCompare(y.name))).toEqual([
      entry('a'),
      entry('d'),
      entry('z'),
    ]);
  });

  it.each<[string, Partial<DriverEntry>]>([
    ['node id', { nodeID: 'new' }],
    ['topology', { topologyKeys: ['rack'] }],
    ['limit', { allocatable: { count: 3 } }],
  ])('sees a change of the %s alone', (_, change) => {
    expect(withDriver([entry('d')], entry('d', change))).toEqual([entry('d', change)]);
    expect(withDriver([entry('d', change)], entry('d', change))).toBeUndefined();
  });

  it('has its inverse', () => {
    expect(withoutDriver(others, 'd')).toEqual([entry('a'), entry('z')]);
    expect(withoutDriver(others, 'x')).toBeUndefined();
  });
});

it('missingLabels adds what is not there and refuses what differs', () => {
  const metadata = { name: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels: { zone: 'a' } };
  const node: Node = { metadata, spec: {} };
  expect(missingLabels(node, { zone: 'a', rack: 'r' })).toEqual({ rack: 'r' });
  expect(missingLabels({ ...node, metadata: { ...metadata, labels: {} } }, { zone: 'b' })).toEqual({ zone: 'b' });
  expect(() => missingLabels(node, { zone: 'b' })).toThrow(/collision.*"zone":"b".*"zone":"a"/);
});

it('compareSockets tells new, replaced and vanished sockets', () => {
  const known = new Map([
    ['/same', '1'],
    ['/replaced', '2'],
    ['/gone', '3'],
  ]);
  const present = [
    { path: '/same', identity: '1' },
    { path: '/replaced', identity: '9' },
    { path: '/new', identity: '4' },
  ];
  expect(compareSockets(known, present)).toEqual({ appeared: [present[1], present[2]], removed: ['/gone'] });
});

it.each([
  ['1.0.0', true],
  ['v1.2.3', true],
  ['1.13.0', true],
  ['2.0.0', false],
  ['0.3.0', false],
  ['11.0.0', false],
  ['1', false],
])('refusal of version %s', (version, isTaken) => {
  const info = { type: 'CSIPlugin', name: 'd', endpoint: '/s', supportedVersions: ['0.1.0', version] };
  expect(refusal(info) === undefined).toBe(isTaken);
});
