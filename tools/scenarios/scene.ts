import {
  type Draft,
  isNotFound,
  type KubeClient,
  type KubeObject,
  namespaces,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  type StorageClass,
  storageClasses,
  type VolumeAttachment,
} from '@holdfast/kube';
import type { DriverCall, Rig } from '../rig/contract.ts';
import { type CaptureScope, captureMoment, type Moment, writeMoment } from './capture.ts';
import { captureFolder } from './capture-folder.ts';
import {
  type ClaimSpec,
  type ClassSpec,
  claim,
  type PodSpec,
  pod,
  type StaticVolumeSpec,
  staticVolume,
  storageClass,
} from './manifests.ts';
import { createNameBook } from './name-book.ts';
import { makers } from './settings.ts';
import type { World } from './world.ts';

type Named<T> = Omit<T, 'driverName'>;

/** One scenario's own namespace, and what it may do and see there. */
export interface Scene {
  readonly name: string;
  readonly namespace: string;
  readonly rig: Rig;
  readonly world: World;
  readonly client: KubeClient;
  addClass(spec: Named<ClassSpec>): Promise<string>;
  addClaim(spec: ClaimSpec): Promise<void>;
  addPod(spec: PodSpec): Promise<void>;
  addVolume(spec: Omit<Named<StaticVolumeSpec>, 'claim'> & { readonly claim: string }): Promise<void>;
  /** Anything else; it is removed after claims and pods. */
  add<T extends KubeObject>(resource: Resource<T>, draft: Draft<T>): Promise<T>;
  /** Done by `removeAll` after claims and pods, the last first. */
  atEnd(work: () => Promise<unknown>): void;
  askForSize(claimName: string, sizeMi: number): Promise<void>;
  delete(resource: Resource<KubeObject>, name: string): Promise<void>;
  claim(name: string): PersistentVolumeClaim | undefined;
  pod(name: string): Pod | undefined;
  volume(name: string): PersistentVolume | undefined;
  attachmentsOf(volumeName: string): readonly VolumeAttachment[];
  /** Reasons and messages of the events about an object of this namespace, or about a volume. */
  eventsOn(name: string): readonly string[];
  /** The calls that change something, since the scenario began. */
  calls(): readonly DriverCall[];
  /** Those of one volume: `CreateVolume OK`. */
  callsOf(volumeId: string): readonly string[];
  capture(moment: Moment): Promise<void>;
  /** Deletes every object that was added. */
  removeAll(): Promise<void>;
}

const changing = /^(?:Create|Delete|ControllerPublish|ControllerUnpublish|ControllerExpand|ControllerModify)Volume$/;

export async function openScene(deps: {
  readonly name: string;
  readonly rig: Rig;
  readonly world: World;
}): Promise<Scene> {
  const { name, rig, world } = deps;
  const { client } = rig.cluster;
  const namespace = name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
  const names = createNameBook();
  const scope: CaptureScope = { scenario: name, namespace, rig, makers, names, callsBefore: rig.driverCalls().length };
  const classes: string[] = [];
  const endings: (() => Promise<unknown>)[] = [];
  let moments = 0;

  const volumesHere = (): PersistentVolume[] =>
    world.volumes().filter(({ spec }) => spec?.claimRef?.namespace === namespace);
  // Each is learnt when it appears: at a later moment it may be gone, and calls and events still name it.
  const learnAll = (): void => {
    for (const claim of world.claims().filter(({ metadata }) => metadata.namespace === namespace))
      names.learnClaim(claim);
    for (const volume of volumesHere()) names.learnVolume(volume);
    const known = new Set(volumesHere().map(({ metadata }) => metadata.name));
    for (const attachment of world.attachments()) {
      if (known.has(attachment.spec?.source?.persistentVolumeName ?? '')) names.learnAttachment(attachment);
    }
  };
  const stopLearning = world.onChange(learnAll);

  function calls(): DriverCall[] {
    const all = rig.driverCalls().slice(scope.callsBefore);
    return all.filter(({ method }) => changing.test(method));
  }

  async function remove(resource: Resource<KubeObject>, object: string): Promise<void> {
    const ref = resource.isNamespaced ? { namespace, name: object } : { name: object };
    await ifThere(client.delete(resource, ref));
  }

  await client.request('PATCH', `/api/v1/namespaces/${namespace}`, namespaceObject(namespace), {
    query: { fieldManager: 'scenarios', force: true },
    contentType: 'application/apply-patch+yaml',
  });

  const scene: Scene = {
    name,
    namespace,
    rig,
    world,
    client,
    async addClass(spec) {
      const own = `${namespace}-${spec.name}`;
      const made: StorageClass = await client.create(
        storageClasses,
        storageClass({ ...spec, name: own, driverName: rig.driverName }),
      );
      classes.push(made.metadata.name);
      return own;
    },
    async addClaim(spec) {
      await client.create(persistentVolumeClaims, claim(namespace, spec));
    },
    async addPod(spec) {
      await client.create(pods, pod(namespace, spec));
    },
    async addVolume({ claim, ...spec }) {
      const draft = staticVolume({ ...spec, driverName: rig.driverName, claim: { namespace, name: claim } });
      await client.create(persistentVolumes, draft);
    },
    async add(resource, draft) {
      const made = await client.create(resource, draft);
      const { name: object, namespace: where } = made.metadata;
      const ref = where === undefined ? { name: object } : { name: object, namespace: where };
      endings.push(() => ifThere(client.delete(resource, ref)));
      return made;
    },
    atEnd: (work) => void endings.push(work),
    async askForSize(claimName, sizeMi) {
      const body = { spec: { resources: { requests: { storage: `${sizeMi}Mi` } } } };
      await client.patch(persistentVolumeClaims, { namespace, name: claimName }, { kind: 'merge', body });
    },
    delete: remove,
    claim: (claimName) => world.claims().find(({ metadata }) => isNamed(metadata, namespace, claimName)),
    pod: (podName) => world.pods().find(({ metadata }) => isNamed(metadata, namespace, podName)),
    volume: (volumeName) => world.volumes().find(({ metadata }) => metadata.name === volumeName),
    attachmentsOf: (volumeName) =>
      world.attachments().filter(({ spec }) => spec?.source?.persistentVolumeName === volumeName),
    eventsOn: (object) =>
      world
        .events()
        .filter(({ involvedObject: on }) => on.name === object && (on.namespace ?? namespace) === namespace)
        .map(({ reason = '', message = '' }) => `${reason}: ${message}`),
    calls,
    callsOf: (volumeId) =>
      calls()
        .filter((call) => call.volumeId === volumeId)
        .map(({ method, code }) => `${method} ${code}`),
    async capture(moment) {
      const folder = captureFolder();
      if (folder === undefined) return;
      await world.untilQuiet();
      moments += 1;
      writeMoment(folder, moments, await captureMoment(scope, moment));
    },
    async removeAll() {
      stopLearning();
      // As the server has them: the watch may not have shown the last one yet.
      for (const resource of [pods, persistentVolumeClaims]) {
        const { items } = await client.list<KubeObject>(resource, { namespace });
        for (const { metadata } of items) await remove(resource, metadata.name);
      }
      for (const ending of endings.splice(0).toReversed()) await ending();
      for (const name of classes) await remove(storageClasses, name);
    },
  };
  return scene;
}

/** Once nothing is in it any more. Its events go with it. */
export async function removeNamespace({ client, namespace }: Scene): Promise<void> {
  await client.delete(namespaces, { name: namespace });
}

async function ifThere(deletion: Promise<unknown>): Promise<void> {
  await deletion.catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function isNamed(metadata: { name: string; namespace?: string }, namespace: string, name: string): boolean {
  return metadata.name === name && metadata.namespace === namespace;
}

function namespaceObject(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
