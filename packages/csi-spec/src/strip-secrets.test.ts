import { expect, test } from 'vitest';
import { messageFields } from './gen/field-table.ts';
import {
  ControllerGetCapabilitiesResponse,
  CreateVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  ProbeResponse,
  serviceAccountTokensKey,
  stripSecrets,
  VolumeCapability_AccessMode_Mode,
} from './index.ts';
import { strippedText } from './strip-secrets.ts';

test('shows a request by proto names, without its secrets', () => {
  const request = CreateVolumeRequest.create({
    name: 'pvc-1',
    capacityRange: { requiredBytes: 2n ** 60n + 1n },
    volumeCapabilities: [
      {
        accessType: { $case: 'mount', value: { fsType: 'ext4', mountFlags: ['noatime'] } },
        accessMode: { mode: VolumeCapability_AccessMode_Mode.SINGLE_NODE_WRITER },
      },
      { accessType: { $case: 'block', value: {} } },
    ],
    parameters: { tier: 'fast' },
    secrets: { password: 'hunter2', user: 'root' },
  });

  expect(stripSecrets('csi.v1.CreateVolumeRequest', request)).toEqual({
    name: 'pvc-1',
    capacity_range: { required_bytes: '1152921504606846977' },
    volume_capabilities: [
      { mount: { fs_type: 'ext4', mount_flags: ['noatime'] }, access_mode: { mode: 'SINGLE_NODE_WRITER' } },
      { block: {} },
    ],
    parameters: { tier: 'fast' },
    secrets: strippedText,
  });
  expect(request.secrets).toEqual({ password: 'hunter2', user: 'root' });
});

test('strips the secrets of every message that has some', () => {
  const withSecrets = Object.entries(messageFields).filter(([, fields]) =>
    fields.some(({ kind }) => kind === 'secret'),
  );
  expect(withSecrets.map(([name]) => name)).toEqual(
    expect.arrayContaining(['csi.v1.NodeStageVolumeRequest', 'csi.v1.NodeExpandVolumeRequest']),
  );
  expect(withSecrets).toHaveLength(22);
  for (const [name] of withSecrets) {
    expect(stripSecrets(name, { secrets: { key: 'hunter2' } })).toEqual({ secrets: strippedText });
  }
});

test('strips service-account tokens from any map', () => {
  const volumeContext = { [serviceAccountTokensKey]: '{"":{"token":"eyJ"}}', 'csi.storage.k8s.io/pod.name': 'web-0' };
  expect(stripSecrets('csi.v1.NodePublishVolumeRequest', NodePublishVolumeRequest.create({ volumeContext }))).toEqual({
    volume_context: { [serviceAccountTokensKey]: strippedText, 'csi.storage.k8s.io/pod.name': 'web-0' },
  });
  const staged = stripSecrets(
    'csi.v1.NodeStageVolumeRequest',
    NodeStageVolumeRequest.create({ publishContext: volumeContext }),
  );
  expect(JSON.stringify(staged)).not.toContain('eyJ');
});

test('tells a wrapper that is false from one that is unset', () => {
  expect(stripSecrets('csi.v1.ProbeResponse', ProbeResponse.create({ ready: false }))).toEqual({ ready: false });
  expect(stripSecrets('csi.v1.ProbeResponse', ProbeResponse.create())).toEqual({});
});

test('shows an enum value this version does not know as its number', () => {
  const bytes = Uint8Array.from([0x0a, 0x05, 0x0a, 0x03, 0x08, 0xe7, 0x07]);
  const response = ControllerGetCapabilitiesResponse.decode(bytes);
  expect(stripSecrets('csi.v1.ControllerGetCapabilitiesResponse', response)).toEqual({
    capabilities: [{ rpc: { type: 999 } }],
  });
});

test('shows nothing of a message whose type is unknown, or that is none', () => {
  expect(stripSecrets('csi.v1.Nope', { secrets: { key: 'hunter2' } })).not.toContain('hunter2');
  expect(stripSecrets('csi.v1.CreateVolumeRequest', 'hunter2')).toBeUndefined();
});

test('shows no property that the descriptor does not declare', () => {
  expect(stripSecrets('csi.v1.DeleteVolumeRequest', { volumeId: 'v', token: 'hunter2' })).toEqual({ volume_id: 'v' });
});
