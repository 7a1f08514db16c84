import { createRecordingLogger } from '@holdfast/core/testing';
import {
  ControllerService,
  CreateVolumeRequest,
  IdentityService,
  NodePublishVolumeRequest,
  NodePublishVolumeResponse,
  NodeService,
  NodeStageVolumeRequest,
  NodeStageVolumeResponse,
  ProbeRequest,
  ProbeResponse,
  serviceAccountTokensKey,
} from '@holdfast/csi-spec';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createOperationMetrics, rpcError } from './index.ts';
import { connect, createdVolume, createVolume, rejection, startForeignServer, startServer } from './testing/sockets.ts';

const soon = { timeoutMs: 20_000 };

describe('logs', () => {
  const password = 'correct-horse';
  const token = 'eyJhbGciOiJSUzI1NiJ9';
  const secrets = { password };
  const volumeContext = { [serviceAccountTokensKey]: JSON.stringify({ '': { token } }), pool: 'a' };

  test('show the beginning of an answer that is longer than asked for, and a shorter one whole', async () => {
    const log = createRecordingLogger();
    const server = await startServer({
      controller: { createVolume: async () => createdVolume },
      identity: { probe: async () => ProbeResponse.create() },
    });
    const connection = await connect(server.address, { log, maxLoggedLength: 20 });
    await connection.client(ControllerService).createVolume(createVolume, soon);
    await connection.client(IdentityService).probe(ProbeRequest.create(), soon);
    const [created, probed] = log.lines.filter(({ message }) => message === 'GRPC response');
    expect(created?.fields).toMatchObject({
      response: expect.stringMatching(/^.{20} \(the first 20 of \d+ characters\)$/),
    });
    expect(probed?.fields).toMatchObject({ response: expect.any(Object) });
  });

  test('show calls and answers at level 5 on both sides, and no secret anywhere', async () => {
    const log = createRecordingLogger();
    const server = await startServer(
      {
        controller: { createVolume: async () => createdVolume },
        node: {
          nodeStageVolume: async () => NodeStageVolumeResponse.create(),
          nodePublishVolume: async () => NodePublishVolumeResponse.create(),
        },
      },
      { log },
    );
    const connection = await connect(server.address, { log });
    const volumeCapability = { accessType: { $case: 'mount' as const, value: { fsType: 'ext4' } } };
    const node = connection.client(NodeService);
    await connection
      .client(ControllerService)
      .createVolume(
        CreateVolumeRequest.create({ name: 'pvc-1', secrets, volumeCapabilities: [volumeCapability] }),
        soon,
      );
    await node.nodeStageVolume(NodeStageVolumeRequest.create({ volumeId: 'v', secrets, volumeContext }), soon);
    await node.nodePublishVolume(
      NodePublishVolumeRequest.create({ volumeId: 'v', secrets, volumeContext, volumeCapability }),
      soon,
    );

    const calls = log.lines.filter(({ message }) => message.startsWith('GRPC'));
    expect(calls).toHaveLength(12);
    expect(new Set(calls.map(({ verbosity }) => verbosity))).toEqual(new Set([5]));
    expect(calls[0]).toMatchObject({
      message: 'GRPC call',
      fields: {
        method: '/csi.v1.Controller/CreateVolume',
        request: { name: 'pvc-1', secrets: '***stripped***', volume_capabilities: [{ mount: { fs_type: 'ext4' } }] },
      },
    });
    expect(calls.some(({ fields }) => JSON.stringify(fields).includes('"volume_id":"vol-1"'))).toBe(true);
    expect(JSON.stringify(log.lines)).toContain('"pool":"a"');
    expect(JSON.stringify(log.lines)).not.toContain(password);
    expect(JSON.stringify(log.lines)).not.toContain(token);
  });

  test.each([
    ['an RpcError', (message: string) => rpcError('InvalidArgument', message)],
    ['any other error', (message: string) => new Error(message)],
  ])('%s that repeats a secret loses it on its way to log and caller', async (_, makeError) => {
    const log = createRecordingLogger();
    const server = await startServer(
      {
        controller: {
          async createVolume(request) {
            throw makeError(`login as ${request.secrets.password} failed`);
          },
        },
      },
      { log },
    );
    const client = (await connect(server.address, { log })).client(ControllerService);
    const error = await rejection(client.createVolume({ ...createVolume, secrets }, soon));
    expect(error).toMatchObject({ message: 'login as ***stripped*** failed' });
    expect(JSON.stringify(log.lines)).toContain('login as ***stripped*** failed');
    expect(JSON.stringify(log.lines)).not.toContain(password);
  });

  test('a driver that repeats a secret is not quoted by the client', async () => {
    const address = await startForeignServer(
      { createVolume: ControllerService.createVolume },
      {
        createVolume: (_: unknown, answer: (error: object) => void) =>
          answer({ code: 13, details: `pass=${password}` }),
      },
    );
    const log = createRecordingLogger();
    const client = (await connect(address, { log })).client(ControllerService);
    const error = await rejection(client.createVolume({ ...createVolume, secrets }, soon));
    expect(String(error)).toBe('Internal: pass=***stripped***');
    expect(JSON.stringify(log.lines)).not.toContain(password);
  });
});

describe('metrics', () => {
  async function samples(registry: Registry): Promise<string[]> {
    return (await registry.metrics()).split('\n').filter((line) => line.includes('operations_seconds'));
  }

  test('count each call by driver, method and code, in the buckets of the Go sidecars', async () => {
    const registry = new Registry();
    const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar' });
    const server = await startServer({
      identity: { probe: async () => ProbeResponse.create() },
      controller: {
        createVolume: async () => {
          throw rpcError('ResourceExhausted', 'full');
        },
      },
    });
    const connection = await connect(server.address, { metrics });
    await connection.client(IdentityService).probe(ProbeRequest.create(), soon);
    connection.setDriverName('disk.csi.holdfast');
    await rejection(connection.client(ControllerService).createVolume(createVolume, soon));

    const lines = await samples(registry);
    expect(lines).toContain('# TYPE csi_sidecar_operations_seconds histogram');
    expect(lines[0]).toMatch(/^# HELP csi_sidecar_operations_seconds \[ALPHA\] /);
    expect(lines).toContain(
      'csi_sidecar_operations_seconds_count{driver_name="unknown-driver",method_name="/csi.v1.Identity/Probe",grpc_status_code="OK"} 1',
    );
    expect(lines).toContain(
      'csi_sidecar_operations_seconds_count{driver_name="disk.csi.holdfast",method_name="/csi.v1.Controller/CreateVolume",grpc_status_code="ResourceExhausted"} 1',
    );
    const bounds = lines
      .filter((line) => line.includes('Probe'))
      .flatMap((line) => /le="([^"]+)"/.exec(line)?.[1] ?? []);
    expect(bounds.join(' ')).toBe('0.1 0.25 0.5 1 2.5 5 10 15 25 50 120 300 600 +Inf');
  });

  test('of two connections go to one histogram, each under its driver', async () => {
    const registry = new Registry();
    const server = await startServer({ identity: { probe: async () => ProbeResponse.create() } });
    for (const name of ['a.csi', 'b.csi']) {
      const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar' });
      const connection = await connect(server.address, { metrics });
      connection.setDriverName(name);
      await connection.client(IdentityService).probe(ProbeRequest.create(), soon);
    }
    const counts = (await samples(registry)).filter((line) => line.includes('_count'));
    expect(counts.map((line) => /driver_name="([^"]+)"/.exec(line)?.[1])).toEqual(['a.csi', 'b.csi']);
  });

  test('of a server carry its subsystem and driver name', async () => {
    const registry = new Registry();
    const metrics = createOperationMetrics({ registry, subsystem: 'csi_plugin', driverName: 'dir.csi.holdfast' });
    const server = await startServer({}, { metrics });
    const client = (await connect(server.address)).client(IdentityService);
    await rejection(client.probe(ProbeRequest.create(), soon));
    expect(await samples(registry)).toContain(
      'csi_plugin_operations_seconds_count{driver_name="dir.csi.holdfast",method_name="/csi.v1.Identity/Probe",grpc_status_code="Unimplemented"} 1',
    );
  });
});
