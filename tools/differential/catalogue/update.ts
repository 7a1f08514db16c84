import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { configMaps, claims, volumes, classes, pods } = paths;

export const update: Topic = {
  name: 'update',
  scripts: [
    script(
      'versions',
      post(configMaps, make.configMap('v', { data: { a: '1' } }), { as: 'first' }),
      put(`${configMaps}/v`, make.configMap('v', { data: { a: '2' } }), { as: 'second' }),
      put(`${configMaps}/v`, make.configMap('v', { metadata: { resourceVersion: '{{first.rv}}' }, data: { a: '3' } })),
      put(
        `${configMaps}/v`,
        make.configMap('v', { metadata: { resourceVersion: '{{second.rv}}' }, data: { a: '3' } }),
        { as: 'third' },
      ),
      put(`${configMaps}/v`, (seen) => seen('third')),
      put(`${configMaps}/v`, make.configMap('v', { metadata: { resourceVersion: '0' }, data: { a: '4' } })),
      put(`${configMaps}/v`, make.configMap('v', { metadata: { resourceVersion: 'soon' }, data: { a: '5' } })),
      put(`${configMaps}/v`, make.configMap('v', { metadata: { resourceVersion: '99999999' }, data: { a: '5' } })),
      get(`${configMaps}/v`),
    ),
    script(
      'identity',
      post(configMaps, make.configMap('i'), { as: 'i' }),
      put(`${configMaps}/i`, make.configMap('other')),
      put(`${configMaps}/i`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { uid: 'another' } })),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { uid: '{{i.uid}}', labels: { a: 'b' } } })),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { namespace: 'default' } })),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { creationTimestamp: '2001-01-01T00:00:00Z' } })),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { deletionTimestamp: '2001-01-01T00:00:00Z' } })),
      put(`${configMaps}/i`, make.configMap('i', { metadata: { generation: 12 } })),
      put(`${configMaps}/absent`, make.configMap('absent')),
      put(`${configMaps}/absent`, make.configMap('absent', { metadata: { resourceVersion: '7' } })),
      put(`${configMaps}/absent`, make.configMap('absent', { metadata: { uid: 'x' } })),
      put(configMaps, make.configMap('i')),
    ),
    script(
      'what changes nothing',
      post(claims, make.claim('n'), { as: 'n' }),
      put(`${claims}/n`, make.claim('n', { metadata: { finalizers: ['kubernetes.io/pvc-protection'] } })),
      put(`${claims}/n`, (seen) => seen('n')),
      patch('merge', `${claims}/n`, {}),
      patch('merge', `${claims}/n`, { spec: { storageClassName: 'manual' } }),
      patch('strategic', `${claims}/n`, {}),
      patch('json', `${claims}/n`, []),
      get(`${claims}/n`),
    ),
    script(
      'a claim',
      post(claims, make.claim('c'), { as: 'c' }),
      patch('merge', `${claims}/c`, { spec: { accessModes: ['ReadOnlyMany'] } }),
      patch('merge', `${claims}/c`, { spec: { storageClassName: 'other' } }),
      patch('merge', `${claims}/c`, { spec: { resources: { requests: { storage: '2Gi' } } } }),
      patch('merge', `${claims}/c`, { spec: { volumeName: 'pv-c' } }),
      patch('merge', `${claims}/c`, { spec: { volumeName: 'pv-d' } }),
      patch('merge', `${claims}/c`, { status: { phase: 'Bound' } }),
      patch('merge', `${claims}/c/status`, {
        status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
      }),
      patch('merge', `${claims}/c/status`, { spec: { volumeName: 'x' }, metadata: { labels: { by: 'status' } } }),
      patch('merge', `${claims}/c/status`, { status: { phase: 'Nowhere' } }),
      patch('merge', `${claims}/c`, { spec: { resources: { requests: { storage: '2Gi' } } } }),
      patch('merge', `${claims}/c`, { spec: { resources: { requests: { storage: '1Mi' } } } }),
      patch('merge', `${claims}/c`, { spec: { volumeMode: 'Block' } }),
      patch('strategic', `${claims}/c/status`, {
        status: { conditions: [{ type: 'Resizing', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' }] },
      }),
      patch('strategic', `${claims}/c/status`, {
        status: { conditions: [{ type: 'FileSystemResizePending', status: 'True' }] },
      }),
      patch('merge', `${claims}/c/status`, {
        status: {
          allocatedResources: { storage: '2Gi' },
          allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
        },
      }),
      put(`${claims}/c/status`, make.claim('c', { status: { phase: 'Lost' } })),
      get(`${claims}/c/status`),
      // Last: it leaves two different claims behind.
      patch('merge', `${claims}/c/status`, { status: { allocatedResourceStatuses: { storage: 'Whatever' } } }),
    ),
    script(
      'a claim that grows',
      post(classes, make.storageClass('{{ns}}-grow', { allowVolumeExpansion: true })),
      post(claims, make.claim('g', { spec: { storageClassName: '{{ns}}-grow', volumeName: 'pv' } })),
      patch('merge', `${claims}/g/status`, { status: { phase: 'Bound', capacity: { storage: '1Gi' } } }),
      patch('merge', `${claims}/g`, { spec: { resources: { requests: { storage: '3Gi' } } } }),
      patch('merge', `${claims}/g`, { spec: { resources: { requests: { storage: '2Gi' } } } }),
      patch('merge', `${claims}/g`, { spec: { resources: { requests: { storage: '1Gi' } } } }),
      patch('merge', `${claims}/g`, { spec: { resources: { requests: { storage: '512Mi' } } } }),
      patch('merge', `${claims}/g`, { spec: { volumeAttributesClassName: 'fast' } }),
      patch('merge', `${claims}/g`, { spec: { volumeAttributesClassName: '' } }),
      remove(`${classes}/{{ns}}-grow`),
    ),
    script(
      'a volume',
      post(volumes, make.volume('{{ns}}-u')),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { capacity: { storage: '2Gi' } } }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { csi: { volumeHandle: 'other' } } }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { csi: { fsType: 'ext4' } } }),
      patch('merge', `${volumes}/{{ns}}-u`, {
        spec: { csi: { controllerExpandSecretRef: { name: 's', namespace: 'd' } } },
      }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { persistentVolumeReclaimPolicy: 'Delete' } }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { volumeMode: 'Block' } }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { claimRef: { namespace: 'default', name: 'c' } } }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { claimRef: null } }),
      patch('merge', `${volumes}/{{ns}}-u`, {
        spec: {
          nodeAffinity: {
            required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'In', values: ['a'] }] }] },
          },
        },
      }),
      patch('merge', `${volumes}/{{ns}}-u`, {
        spec: {
          nodeAffinity: {
            required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'In', values: ['b'] }] }] },
          },
        },
      }),
      patch('merge', `${volumes}/{{ns}}-u`, { spec: { storageClassName: 'x' } }),
      patch('merge', `${volumes}/{{ns}}-u`, { status: { phase: 'Bound' } }),
      patch('merge', `${volumes}/{{ns}}-u/status`, { status: { phase: 'Bound' } }),
      patch('merge', `${volumes}/{{ns}}-u/status`, { status: { phase: 'Failed', message: 'm', reason: 'r' } }),
      patch('merge', `${volumes}/{{ns}}-u/status`, { spec: { capacity: { storage: '9Gi' } } }),
    ),
    script(
      'a class',
      post(classes, make.storageClass('{{ns}}-c', { parameters: { a: 'b' } })),
      patch('merge', `${classes}/{{ns}}-c`, { parameters: { a: 'c' } }),
      patch('merge', `${classes}/{{ns}}-c`, { provisioner: 'other.example' }),
      patch('merge', `${classes}/{{ns}}-c`, { reclaimPolicy: 'Retain' }),
      patch('merge', `${classes}/{{ns}}-c`, { volumeBindingMode: 'WaitForFirstConsumer' }),
      patch('merge', `${classes}/{{ns}}-c`, { allowVolumeExpansion: true, mountOptions: ['ro'] }),
      patch('merge', `${classes}/{{ns}}-c`, {
        metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } },
      }),
      remove(`${classes}/{{ns}}-c`),
    ),
    script(
      'the default class',
      post(
        classes,
        make.storageClass('{{ns}}-default', {
          metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        }),
      ),
      // Admission reads classes from a cache, which has the new one by the time a watch has told of it.
      get(`${classes}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name={{ns}}-default`),
      post(claims, make.claim('defaulted', { spec: { storageClassName: null } })),
      post(claims, make.claim('not-defaulted', { spec: { storageClassName: '' } })),
      remove(`${classes}/{{ns}}-default`),
    ),
    script(
      'dry run',
      post(configMaps, make.configMap('d', { data: { a: '1' } })),
      put(`${configMaps}/d?dryRun=All`, make.configMap('d', { data: { a: '2' } })),
      patch('merge', `${configMaps}/d?dryRun=All`, { data: { a: '3' } }),
      remove(`${configMaps}/d?dryRun=All`),
      get(`${configMaps}/d`),
    ),
    script(
      'binding a pod',
      post(pods, make.pod('b'), { as: 'b' }),
      post(`${pods}/b/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b', uid: 'wrong' },
        target: { kind: 'Node', name: 'n' },
      }),
      post(`${pods}/b/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b' },
        target: { kind: 'Node', name: '' },
      }),
      post(`${pods}/b/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b' },
        target: { kind: 'Shoe', name: 'n' },
      }),
      post(`${pods}/b/binding?dryRun=All`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b' },
        target: { kind: 'Node', name: 'n' },
      }),
      post(`${pods}/b/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b', uid: '{{b.uid}}', annotations: { by: 'me' } },
        target: { kind: 'Node', name: 'n' },
      }),
      post(`${pods}/b/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'b' },
        target: { kind: 'Node', name: 'n2' },
      }),
      post(`${pods}/absent/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'absent' },
        target: { kind: 'Node', name: 'n' },
      }),
      get(`${pods}/b`),
      get(`${pods}/b/binding`),
    ),
    script(
      'subresources',
      post(configMaps, make.configMap('s')),
      get(`${configMaps}/s/status`),
      get(`${configMaps}/s/scale`),
      put(`${configMaps}/s/status`, make.configMap('s')),
      post(claims, make.claim('s')),
      get(`${claims}/s/scale`),
      remove(`${claims}/s/status`),
      post(`${claims}/s/status`, make.claim('s')),
      patch('merge', `${claims}/absent/status`, { status: { phase: 'Bound' } }),
      get(`${claims}/absent/status`),
      get(`${claims}/s/status/more`),
      get(`${paths.classes}/absent/status`),
    ),
  ],
};
