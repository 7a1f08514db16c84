import { existsSync } from 'node:fs';
import { createReflector, type Reflector } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import {
  type CSINode,
  createKubeClient,
  csiNodes,
  type KubeClient,
  type KubeObject,
  loadKubeConfig,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { expectSoon, found, notYet } from './expect.ts';
import { nodeName, type Places } from './programs.ts';

/** The API as `kubectl get --watch` would show it, kept up to date by watches. */
export interface Cluster {
  client: KubeClient;
  claim(name: string): PersistentVolumeClaim | undefined;
  claims(): readonly PersistentVolumeClaim[];
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  attachments(): readonly VolumeAttachment[];
  pod(name: string): Pod | undefined;
  pods(): readonly Pod[];
  csiNode(): CSINode | undefined;
  podLog(name: string): Promise<string>;
}

const namespace = 'default';

/** Waits for the API server's kubeconfig and for the kubelet's Node. */
export async function openCluster(places: Places, signal: AbortSignal): Promise<Cluster> {
  await expectSoon({
    what: 'the API server to write its kubeconfig',
    look: () => (existsSync(places.kubeconfig) ? found(true) : notYet(`no file ${places.kubeconfig}`)),
    timeoutMs: 30_000,
    signal,
  });
  const config = await loadKubeConfig({ kubeconfig: places.kubeconfig, env: {} });
  const client = createKubeClient({ config, userAgent: 'holdfast-demo/0.1.0' });
  const follow = <T extends KubeObject>(resource: Resource<T>): Reflector<T> => {
    const reflector = createReflector({ client, resource, log: silentLogger });
    void reflector.run(signal).catch(() => {});
    return reflector;
  };
  const [claims, volumes, attachments, ownPods, ownNodes, ownCsiNodes] = [
    follow(persistentVolumeClaims),
    follow(persistentVolumes),
    follow(volumeAttachments),
    follow(pods),
    follow(nodes),
    follow(csiNodes),
  ] as const;
  await Promise.all(
    [claims, volumes, attachments, ownPods, ownNodes, ownCsiNodes].map((reflector) => reflector.synced),
  );
  await expectSoon({
    what: `the kubelet's Node ${nodeName}`,
    look: () => (ownNodes.store.get(nodeName) ? found(true) : notYet('no such Node')),
    timeoutMs: 30_000,
    signal,
  });
  return {
    client,
    claim: (name) => claims.store.get(`${namespace}/${name}`),
    claims: () => claims.store.list(),
    volume: (name) => volumes.store.get(name),
    volumes: () => volumes.store.list(),
    attachments: () => attachments.store.list(),
    pod: (name) => ownPods.store.get(`${namespace}/${name}`),
    pods: () => ownPods.store.list(),
    csiNode: () => ownCsiNodes.store.get(nodeName),
    podLog: (name) => readPodLog(client, name),
  };
}

async function readPodLog(client: KubeClient, name: string): Promise<string> {
  try {
    const reply = await client.request('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log`);
    return typeof reply.body === 'string' ? reply.body : '';
  } catch {
    return '';
  }
}
