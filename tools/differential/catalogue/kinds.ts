import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { volumes, classes, attachments, csiNodes, drivers, attributesClasses } = paths;
const { capacities } = paths;

export const kinds: Topic = {
  name: 'kinds',
  scripts: [
    script(
      'PersistentVolume',
      post(volumes, make.volume('{{ns}}-pv')),
      get(`${volumes}/{{ns}}-pv`),
      post(volumes, make.volume('{{ns}}-1', { spec: { csi: null } })),
      post(volumes, make.volume('{{ns}}-2', { spec: { hostPath: { path: '/x' } } })),
      post(volumes, make.volume('{{ns}}-3', { spec: { csi: { driver: '', volumeHandle: '' } } })),
      post(volumes, make.volume('{{ns}}-4', { spec: { capacity: {} } })),
      post(volumes, make.volume('{{ns}}-5', { spec: { capacity: { storage: '0' } } })),
      post(volumes, make.volume('{{ns}}-6', { spec: { persistentVolumeReclaimPolicy: 'Burn' } })),
      post(
        volumes,
        make.volume('{{ns}}-7', {
          spec: { csi: { driver: 'd.example', volumeHandle: 'h', nodeStageSecretRef: { name: 'x' } } },
        }),
      ),
      post(volumes, make.volume('{{ns}}-8', { spec: { csi: { driver: 'Bad Driver', volumeHandle: 'h' } } })),
      post(volumes, make.volume('{{ns}}-9', { spec: { capacity: { cpu: '1' } } })),
      post(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: '{{ns}}-10' } }),
      post(
        volumes,
        make.volume('{{ns}}-11', {
          spec: { csi: null, hostPath: { path: '/x' }, persistentVolumeReclaimPolicy: 'Delete' },
        }),
      ),
      post(
        volumes,
        make.volume('{{ns}}-12', {
          spec: {
            claimRef: { namespace: 'default', name: 'c', uid: 'u' },
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }] },
            },
            mountOptions: ['ro'],
            volumeMode: 'Block',
            storageClassName: 'fast',
          },
        }),
      ),
      post(volumes, make.volume('{{ns}}-13', { spec: { nodeAffinity: {} } })),
      post(volumes, make.volume('{{ns}}-14', { spec: { accessModes: [] } })),
    ),
    script(
      'StorageClass',
      post(classes, make.storageClass('{{ns}}-sc')),
      get(`${classes}/{{ns}}-sc`),
      post(classes, make.storageClass('{{ns}}-1', { provisioner: '' })),
      post(classes, make.storageClass('{{ns}}-2', { provisioner: 'not a name' })),
      post(classes, make.storageClass('{{ns}}-3', { reclaimPolicy: 'Burn' })),
      post(classes, make.storageClass('{{ns}}-4', { volumeBindingMode: 'Later' })),
      post(classes, make.storageClass('{{ns}}-5', { parameters: { a: 1 } })),
      post(classes, make.storageClass('{{ns}}-6', { parameters: { '': 'x' } })),
      post(
        classes,
        make.storageClass('{{ns}}-7', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'k', values: [] }] }] }),
      ),
      post(classes, make.storageClass('{{ns}}-8', { allowedTopologies: [{}] })),
      post(
        classes,
        make.storageClass('{{ns}}-9', {
          parameters: { a: 'b' },
          mountOptions: ['ro'],
          allowVolumeExpansion: true,
          volumeBindingMode: 'WaitForFirstConsumer',
          allowedTopologies: [{ matchLabelExpressions: [{ key: 'k', values: ['a', 'b'] }] }],
        }),
      ),
      remove(`${classes}/{{ns}}-sc`),
      remove(`${classes}/{{ns}}-9`),
    ),
    script(
      'VolumeAttachment',
      post(attachments, make.attachment('{{ns}}-va')),
      get(`${attachments}/{{ns}}-va`),
      post(attachments, make.attachment('{{ns}}-1', { spec: {} })),
      post(attachments, make.attachment('{{ns}}-2', { spec: { attacher: 'a.example', nodeName: 'n', source: {} } })),
      post(attachments, make.attachment('{{ns}}-3', { status: { attached: true } })),
      post(attachments, { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', metadata: { name: '{{ns}}-4' } }),
      put(`${attachments}/{{ns}}-va`, make.attachment('{{ns}}-va')),
      patch('merge', `${attachments}/{{ns}}-va`, { spec: { nodeName: 'other' } }),
      patch('merge', `${attachments}/{{ns}}-va`, { status: { attached: true } }),
      patch('merge', `${attachments}/{{ns}}-va/status`, {
        status: { attached: true, attachmentMetadata: { device: '/dev/x' } },
      }),
      patch('merge', `${attachments}/{{ns}}-va/status`, {
        metadata: { annotations: { a: 'b' }, finalizers: ['example.com/x'] },
      }),
      patch('merge', `${attachments}/{{ns}}-va/status`, {
        status: { attachError: { message: 'm', time: '2024-01-01T00:00:00Z' } },
      }),
      remove(`${attachments}/{{ns}}-va`),
      remove(`${attachments}/{{ns}}-3`),
    ),
    script(
      'CSINode',
      post(csiNodes, make.csiNode('{{ns}}-n', { spec: { drivers: [] } })),
      get(`${csiNodes}/{{ns}}-n`),
      post(csiNodes, make.csiNode('{{ns}}-1')),
      post(csiNodes, make.csiNode('{{ns}}-2', { spec: { drivers: [{ name: '', nodeID: '' }] } })),
      post(
        csiNodes,
        make.csiNode('{{ns}}-3', { spec: { drivers: [{ name: 'd.example', nodeID: 'x', topologyKeys: null }] } }),
      ),
      post(
        csiNodes,
        make.csiNode('{{ns}}-4', {
          spec: {
            drivers: [
              { name: 'd.example', nodeID: 'x' },
              { name: 'd.example', nodeID: 'y' },
            ],
          },
        }),
      ),
      post(
        csiNodes,
        make.csiNode('{{ns}}-5', { spec: { drivers: [{ name: 'd.example', nodeID: 'x', topologyKeys: ['a', 'a'] }] } }),
      ),
      post(
        csiNodes,
        make.csiNode('{{ns}}-6', {
          spec: { drivers: [{ name: 'd.example', nodeID: 'x', allocatable: { count: -1 } }] },
        }),
      ),
      patch('merge', `${csiNodes}/{{ns}}-3`, {
        spec: { drivers: [{ name: 'd.example', nodeID: 'z', topologyKeys: null }] },
      }),
      patch('strategic', `${csiNodes}/{{ns}}-3`, {
        spec: { drivers: [{ name: 'e.example', nodeID: 'z', topologyKeys: ['k'] }] },
      }),
      patch('strategic', `${csiNodes}/{{ns}}-3`, { spec: { drivers: [{ name: 'd.example', $patch: 'delete' }] } }),
      remove(`${csiNodes}/{{ns}}-3`),
      remove(`${csiNodes}/{{ns}}-1`),
    ),
    script(
      'CSIDriver',
      post(drivers, make.csiDriver('{{ns}}-d', { spec: {} })),
      get(`${drivers}/{{ns}}-d`),
      post(drivers, make.csiDriver('{{ns}}-1')),
      post(drivers, make.csiDriver('{{ns}}-2', { spec: { fsGroupPolicy: 'Perhaps' } })),
      post(
        drivers,
        make.csiDriver('{{ns}}-3', { spec: { volumeLifecycleModes: ['Persistent', 'Ephemeral', 'Eternal'] } }),
      ),
      post(drivers, make.csiDriver('{{ns}}-4', { spec: { tokenRequests: [{ audience: 'a' }, { audience: 'a' }] } })),
      post(drivers, make.csiDriver('{{ns}}-5', { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 5 }] } })),
      patch('merge', `${drivers}/{{ns}}-d`, { spec: { attachRequired: false } }),
      patch('merge', `${drivers}/{{ns}}-d`, { spec: { podInfoOnMount: true, storageCapacity: true } }),
      patch('merge', `${drivers}/{{ns}}-d`, { spec: { volumeLifecycleModes: ['Ephemeral'] } }),
      remove(`${drivers}/{{ns}}-d`),
    ),
    script(
      'CSIStorageCapacity',
      post(capacities, make.capacity('c', { nodeTopology: { matchLabels: { zone: 'a' } } })),
      get(`${capacities}/c`),
      post(capacities, make.capacity('1', { storageClassName: '' })),
      post(capacities, make.capacity('2', { capacity: '-1' })),
      post(capacities, make.capacity('3', { maximumVolumeSize: '10Gi', capacity: null })),
      patch('merge', `${capacities}/c`, { storageClassName: 'other' }),
      patch('merge', `${capacities}/c`, { nodeTopology: { matchLabels: { zone: 'b' } } }),
      patch('merge', `${capacities}/c`, { capacity: '2Ti' }),
      remove(`${capacities}/c`),
    ),
    script(
      'VolumeAttributesClass',
      post(attributesClasses, make.attributesClass('{{ns}}-v')),
      post(attributesClasses, make.attributesClass('{{ns}}-1', { driverName: '' })),
      post(attributesClasses, make.attributesClass('{{ns}}-2', { parameters: {} })),
      post(attributesClasses, make.attributesClass('{{ns}}-3', { parameters: null })),
      patch('merge', `${attributesClasses}/{{ns}}-v`, { parameters: { iops: '200' } }),
      patch('merge', `${attributesClasses}/{{ns}}-v`, { driverName: 'e.example' }),
      remove(`${attributesClasses}/{{ns}}-v`),
    ),
  ],
};
