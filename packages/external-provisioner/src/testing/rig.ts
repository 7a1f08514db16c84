import { type Fence, openFence } from '@holdfast/control';
import {
  events,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '@holdfast/kube';
import { type ControllerRig, ifFound, type ScriptedDriverOptions, startControllerRig } from '@holdfast/sandbox/testing';
import { assembleProvisioner } from '../assemble.ts';
import { provisionerFlags } from '../flags.ts';
import { annotations } from '../names.ts';

type Controller = ControllerRig<ReturnType<typeof provisionerFlags.parse>>;

export interface Rig extends Omit<Controller, 'start'> {
  /** Writes of objects, in order; how often the lease was written is apart. */
  writes(): string[];
  leaseWrites(): number;
  /** Starts the provisioner, with flags beside `--retry-interval-start=10ms`. */
  start(...flags: string[]): Promise<void>;
  startFenced(fence: Fence, ...flags: string[]): Promise<void>;
  /** Replaces the class `fast`, as an administrator must: parameters cannot be changed. */
  createClass(more?: object): Promise<void>;
  deleteClass(): Promise<void>;
  createClaim(
    name: string,
    more?: { spec?: object; annotations?: Record<string, string>; finalizers?: string[] },
  ): Promise<PersistentVolumeClaim>;
  /** Deletes a claim that no pod uses, as the user and then kube-controller-manager's protection loop do. */
  deleteClaim(name: string): Promise<void>;
  claim(name: string): Promise<PersistentVolumeClaim | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
  volumes(): Promise<PersistentVolume[]>;
  /** `type reason message` of the events about an object, oldest first. */
  eventsOf(name: string): Promise<string[]>;
  /** Takes a volume's object away by force. */
  deleteVolume(name: string): Promise<void>;
  /** Does what kube-controller-manager does when a bound claim is deleted. */
  release(volumeName: string): Promise<void>;
}

export async function startRig(
  options: { driver?: ScriptedDriverOptions; loops?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Rig> {
  const rig = await startControllerRig({
    program: 'csi-provisioner',
    assemble: assembleProvisioner,
    noteLease: 'provisioner',
    cluster: { loops: options.loops ?? false },
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.driver === undefined ? {} : { driver: options.driver }),
  });
  const { cluster, driver } = rig;
  const { client } = cluster;

  async function startFenced(fence: Fence, ...flags: string[]): Promise<void> {
    await rig.start(provisionerFlags.parse(['--retry-interval-start=10ms', ...flags], { syntax: 'pflag' }), fence);
  }

  async function deleteClass(): Promise<void> {
    await ifFound(client.delete(storageClasses, { name: 'fast' }));
  }

  return {
    ...rig,
    writes: () => rig.writes().filter((write) => !write.endsWith(' leases')),
    leaseWrites: () => rig.writes().filter((write) => write.endsWith(' leases')).length,
    start: (...flags) => startFenced(openFence, ...flags),
    startFenced,
    deleteClass,
    async createClass(more = {}) {
      await deleteClass();
      await cluster.apply({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'fast' },
        provisioner: driver.name,
        ...more,
      });
    },
    createClaim: (name, more = {}) =>
      client.create(persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace: 'default',
          annotations: { [annotations.storageProvisioner]: driver.name, ...more.annotations },
          ...(more.finalizers ? { finalizers: more.finalizers } : {}),
        },
        spec: {
          storageClassName: 'fast',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...more.spec,
        },
      }),
    async deleteClaim(name) {
      const ref = { name, namespace: 'default' };
      await client.delete(persistentVolumeClaims, ref);
      await ifFound(
        client.patch(persistentVolumeClaims, ref, { kind: 'merge', body: { metadata: { finalizers: null } } }),
      );
    },
    claim: (name) => ifFound(client.get(persistentVolumeClaims, { name, namespace: 'default' })),
    volume: (name) => ifFound(client.get(persistentVolumes, { name })),
    volumes: async () => (await client.list(persistentVolumes)).items,
    async eventsOf(name) {
      const { items } = await client.list(events);
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
    },
    async deleteVolume(name) {
      await client.delete(persistentVolumes, { name });
      await ifFound(
        client.patch(persistentVolumes, { name }, { kind: 'merge', body: { metadata: { finalizers: null } } }),
      );
    },
    async release(name) {
      await client.patch(
        persistentVolumes,
        { name },
        { kind: 'merge', body: { status: { phase: 'Released' } } },
        { subresource: 'status' },
      );
    },
  };
}
