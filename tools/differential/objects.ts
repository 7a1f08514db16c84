// The smallest objects that both servers take, one for each kind, and where they are.
import { isObject, type JsonObject, type JsonValue } from './script.ts';

const inNamespace = '/api/v1/namespaces/{{ns}}';
const storage = '/apis/storage.k8s.io/v1';
const access = '/apis/rbac.authorization.k8s.io/v1';

export const paths = {
  claims: `${inNamespace}/persistentvolumeclaims`,
  pods: `${inNamespace}/pods`,
  secrets: `${inNamespace}/secrets`,
  configMaps: `${inNamespace}/configmaps`,
  events: `${inNamespace}/events`,
  serviceAccounts: `${inNamespace}/serviceaccounts`,
  services: `${inNamespace}/services`,
  leases: '/apis/coordination.k8s.io/v1/namespaces/{{ns}}/leases',
  capacities: `${storage}/namespaces/{{ns}}/csistoragecapacities`,
  roles: `${access}/namespaces/{{ns}}/roles`,
  roleBindings: `${access}/namespaces/{{ns}}/rolebindings`,
  clusterRoles: `${access}/clusterroles`,
  clusterRoleBindings: `${access}/clusterrolebindings`,
  volumes: '/api/v1/persistentvolumes',
  nodes: '/api/v1/nodes',
  namespaces: '/api/v1/namespaces',
  classes: `${storage}/storageclasses`,
  attachments: `${storage}/volumeattachments`,
  csiNodes: `${storage}/csinodes`,
  drivers: `${storage}/csidrivers`,
  attributesClasses: `${storage}/volumeattributesclasses`,
};

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function object(apiVersion: string, kind: string) {
  return (name: string, rest: JsonObject = {}): JsonObject => {
    const { metadata, ...others } = rest;
    return { apiVersion, kind, metadata: { name, ...objectOf(metadata) }, ...others };
  };
}

export const configMap = object('v1', 'ConfigMap');
export const secret = object('v1', 'Secret');
export const serviceAccount = object('v1', 'ServiceAccount');
export const service = object('v1', 'Service');
export const node = object('v1', 'Node');
export const namespace = object('v1', 'Namespace');
export const role = object('rbac.authorization.k8s.io/v1', 'Role');
export const clusterRole = object('rbac.authorization.k8s.io/v1', 'ClusterRole');
export const roleBinding = object('rbac.authorization.k8s.io/v1', 'RoleBinding');
export const clusterRoleBinding = object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding');
export const lease = object('coordination.k8s.io/v1', 'Lease');
export const csiNode = object('storage.k8s.io/v1', 'CSINode');
export const csiDriver = object('storage.k8s.io/v1', 'CSIDriver');
const anyClaim = object('v1', 'PersistentVolumeClaim');
const anyVolume = object('v1', 'PersistentVolume');
const anyClass = object('storage.k8s.io/v1', 'StorageClass');
const anyAttachment = object('storage.k8s.io/v1', 'VolumeAttachment');
const anyCapacity = object('storage.k8s.io/v1', 'CSIStorageCapacity');
const anyAttributesClass = object('storage.k8s.io/v1', 'VolumeAttributesClass');
const anyPod = object('v1', 'Pod');
const anyEvent = object('v1', 'Event');

export function claim(name: string, rest: JsonObject = {}): JsonObject {
  const { spec, ...others } = rest;
  return anyClaim(name, {
    ...others,
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'manual',
      ...objectOf(spec),
    },
  });
}

export function volume(name: string, rest: JsonObject = {}): JsonObject {
  const { spec, ...others } = rest;
  return anyVolume(name, {
    ...others,
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      csi: { driver: 'disk.csi.example', volumeHandle: `handle-${name}` },
      ...objectOf(spec),
    },
  });
}

export function storageClass(name: string, rest: JsonObject = {}): JsonObject {
  return anyClass(name, { provisioner: 'disk.csi.example', ...rest });
}

export function attachment(name: string, rest: JsonObject = {}): JsonObject {
  const spec = { attacher: 'disk.csi.example', nodeName: 'node-a', source: { persistentVolumeName: 'pv-a' } };
  return anyAttachment(name, { spec, ...rest });
}

export function capacity(name: string, rest: JsonObject = {}): JsonObject {
  return anyCapacity(name, { storageClassName: 'manual', capacity: '1Ti', ...rest });
}

export function attributesClass(name: string, rest: JsonObject = {}): JsonObject {
  return anyAttributesClass(name, { driverName: 'disk.csi.example', parameters: { iops: '100' }, ...rest });
}

export function pod(name: string, rest: JsonObject = {}): JsonObject {
  const { spec, ...others } = rest;
  return anyPod(name, {
    ...others,
    spec: {
      automountServiceAccountToken: false,
      serviceAccountName: 'default',
      containers: [{ name: 'main', image: 'registry.example/app:1' }],
      ...objectOf(spec),
    },
  });
}

export function event(name: string, rest: JsonObject = {}): JsonObject {
  const involvedObject = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: '{{ns}}', uid: 'not-a-real-uid' };
  const time = '2024-01-02T03:04:05Z';
  return anyEvent(name, {
    involvedObject,
    reason: 'Tested',
    message: 'a message',
    type: 'Normal',
    source: { component: 'differential' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    ...rest,
  });
}
