import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { nodes, namespaces } = paths;
const { pods, secrets, configMaps, events, leases, serviceAccounts } = paths;

export const coreKinds: Topic = {
  name: 'core-kinds',
  scripts: [
    script(
      'Pod',
      post(pods, make.pod('p')),
      get(`${pods}/p`),
      post(pods, make.pod('1', { spec: { containers: [] } })),
      post(pods, make.pod('2', { spec: { containers: [{ name: 'Bad_Name', image: 'x' }] } })),
      post(pods, make.pod('3', { spec: { containers: [{ name: 'a', image: '' }] } })),
      post(
        pods,
        make.pod('4', {
          spec: { containers: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
        }),
      ),
      post(pods, make.pod('5', { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: '' } }] } })),
      post(pods, make.pod('6', { spec: { restartPolicy: 'Perhaps' } })),
      post(pods, make.pod('7', { spec: { volumes: [{ name: 'v' }] } })),
      post(
        pods,
        make.pod('8', {
          spec: {
            volumes: [
              { name: 'v', emptyDir: {} },
              { name: 'v', emptyDir: {} },
            ],
          },
        }),
      ),
      post(
        pods,
        make.pod('volumes', {
          metadata: { labels: { a: 'b' } },
          spec: {
            nodeName: 'node-a',
            restartPolicy: 'Never',
            nodeSelector: { zone: 'a' },
            tolerations: [{ operator: 'Exists' }],
            securityContext: { fsGroup: 1000, fsGroupChangePolicy: 'OnRootMismatch' },
            volumes: [
              { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
              { name: 'block', persistentVolumeClaim: { claimName: 'b', readOnly: true } },
              { name: 'csi', csi: { driver: 'd.example', volumeAttributes: { a: 'b' } } },
              { name: 'empty', emptyDir: {} },
              { name: 'host', hostPath: { path: '/x' } },
              { name: 'secret', secret: { secretName: 's' } },
              { name: 'map', configMap: { name: 'm' } },
            ],
            containers: [
              {
                name: 'main',
                image: 'app',
                command: ['sh'],
                volumeMounts: [{ name: 'claim', mountPath: '/data' }],
                volumeDevices: [{ name: 'block', devicePath: '/dev/x' }],
                env: [{ name: 'A', value: 'b' }],
                ports: [{ containerPort: 80 }],
                resources: { requests: { cpu: '100m' } },
                readinessProbe: { httpGet: { path: '/', port: 80 } },
              },
            ],
          },
        }),
      ),
      patch('merge', `${pods}/p`, { spec: { nodeName: 'x' } }),
      patch('strategic', `${pods}/p`, { spec: { containers: [{ name: 'main', image: 'registry.example/app:2' }] } }),
      patch('merge', `${pods}/p`, { spec: { activeDeadlineSeconds: 100 } }),
      patch('merge', `${pods}/p`, { spec: { restartPolicy: 'Never' } }),
      patch('strategic', `${pods}/p`, { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } }),
    ),
    script(
      'Node',
      post(nodes, make.node('{{ns}}-n', { metadata: { labels: { a: 'b' } } })),
      get(`${nodes}/{{ns}}-n`),
      post(
        nodes,
        make.node('{{ns}}-1', {
          spec: { providerID: 'x', unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
          status: { capacity: { cpu: '2' }, addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
        }),
      ),
      post(nodes, make.node('{{ns}}-2', { spec: { taints: [{ key: 'k', effect: 'Sometimes' }] } })),
      patch('strategic', `${nodes}/{{ns}}-n/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True', reason: 'r', message: 'm' }] },
      }),
      patch('strategic', `${nodes}/{{ns}}-n/status`, {
        status: { conditions: [{ type: 'DiskPressure', status: 'False' }] },
      }),
      patch('strategic', `${nodes}/{{ns}}-n/status`, {
        status: { volumesInUse: ['kubernetes.io/csi/a^b'], volumesAttached: [{ name: 'x', devicePath: '' }] },
      }),
      patch('merge', `${nodes}/{{ns}}-n`, { spec: { providerID: 'y' } }),
      patch('merge', `${nodes}/{{ns}}-n`, { spec: { providerID: 'z' } }),
      patch('merge', `${nodes}/{{ns}}-n`, { metadata: { labels: { a: null, c: 'd' } } }),
      remove(`${nodes}/{{ns}}-n`),
      remove(`${nodes}/{{ns}}-1`),
    ),
    script(
      'Event',
      post(events, make.event('e')),
      get(`${events}/e`),
      post(events, make.event('1', { involvedObject: { kind: 'PersistentVolume', name: 'pv' } })),
      post(
        '/api/v1/namespaces/default/events',
        make.event('{{ns}}-2', { involvedObject: { kind: 'PersistentVolume', name: 'pv' } }),
      ),
      post(events, make.event('3', { involvedObject: {} })),
      post(events, make.event('4', { type: 'Sad' })),
      post(events, make.event('5', { reason: '' })),
      post(events, make.event('6', { eventTime: '2024-01-01T00:00:00.000000Z' })),
      post(
        events,
        make.event('7', {
          eventTime: '2024-01-01T00:00:00.000000Z',
          reportingComponent: 'c.example/x',
          reportingInstance: 'i',
          action: 'Act',
          source: null,
          firstTimestamp: null,
          lastTimestamp: null,
          count: null,
        }),
      ),
      patch('strategic', `${events}/e`, { count: 2, lastTimestamp: '2024-01-02T03:05:05Z' }),
      patch('merge', `${events}/e`, { message: 'another' }),
      remove(`${events}/e`),
    ),
    script(
      'Lease',
      post(
        leases,
        make.lease('l', {
          spec: {
            holderIdentity: 'me',
            leaseDurationSeconds: 15,
            acquireTime: '2024-01-01T00:00:00.000000Z',
            renewTime: '2024-01-01T00:00:00.123456Z',
            leaseTransitions: 0,
          },
        }),
        { as: 'l' },
      ),
      get(`${leases}/l`),
      post(leases, make.lease('1')),
      post(leases, make.lease('2', { spec: { leaseDurationSeconds: 0 } })),
      post(leases, make.lease('3', { spec: { leaseTransitions: -1 } })),
      post(leases, make.lease('4', { spec: { renewTime: '2024-01-01T00:00:00Z' } })),
      post(leases, make.lease('5', { spec: { holderIdentity: '' } })),
      put(`${leases}/l`, make.lease('l', { spec: { holderIdentity: 'you' } })),
      put(
        `${leases}/l`,
        make.lease('l', {
          metadata: { resourceVersion: '{{l.rv}}' },
          spec: { holderIdentity: 'you', leaseDurationSeconds: 15 },
        }),
      ),
      put(
        `${leases}/l`,
        make.lease('l', { metadata: { resourceVersion: '{{l.rv}}' }, spec: { holderIdentity: 'late' } }),
      ),
      put(`${leases}/new`, make.lease('new', { spec: { holderIdentity: 'x' } })),
      put(`${leases}/newer`, make.lease('newer', { metadata: { resourceVersion: '5' }, spec: {} })),
      remove(`${leases}/l`),
    ),
    script(
      'Secret',
      post(secrets, make.secret('s', { stringData: { user: 'me' }, data: { pass: 'c2VjcmV0' } })),
      get(`${secrets}/s`),
      post(secrets, make.secret('1', { data: { a: 'not base64!' } })),
      post(secrets, make.secret('2', { type: 'kubernetes.io/tls' })),
      post(secrets, make.secret('3', { data: { 'bad key': 'YQ==' } })),
      post(secrets, make.secret('4', { type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } })),
      patch('merge', `${secrets}/s`, { type: 'other' }),
      patch('merge', `${secrets}/s`, { stringData: { user: 'you' } }),
      patch('merge', `${secrets}/s`, { immutable: true }),
      patch('merge', `${secrets}/s`, { stringData: { user: 'them' } }),
      patch('merge', `${secrets}/s`, { immutable: false }),
      remove(`${secrets}/s`),
    ),
    script(
      'ConfigMap',
      post(configMaps, make.configMap('c', { data: { a: 'b' }, binaryData: { bin: 'AAE=' } })),
      post(configMaps, make.configMap('1', { data: { 'bad key': 'x' } })),
      post(configMaps, make.configMap('2', { data: { a: 1 } })),
      post(configMaps, make.configMap('3', { data: { a: 'x' }, binaryData: { a: 'AAE=' } })),
      patch('merge', `${configMaps}/c`, { immutable: true }),
      patch('merge', `${configMaps}/c`, { data: { a: 'c' } }),
      patch('merge', `${configMaps}/c`, { metadata: { labels: { x: 'y' } } }),
      remove(`${configMaps}/c`),
    ),
    script(
      'Namespace',
      post(namespaces, make.namespace('{{ns}}-n')),
      get(`${namespaces}/{{ns}}-n`),
      post(namespaces, make.namespace('{{ns}}.dots')),
      patch('merge', `${namespaces}/{{ns}}-n`, { metadata: { labels: { 'kubernetes.io/metadata.name': 'other' } } }),
      patch('merge', `${namespaces}/{{ns}}-n`, { metadata: { labels: { team: 'x' } } }),
      remove(`${namespaces}/{{ns}}-n`),
      post('/api/v1/namespaces/{{ns}}-n/configmaps', make.configMap('late')),
      remove(`${namespaces}/{{ns}}-n`),
      put(`${namespaces}/{{ns}}-n/finalize`, make.namespace('{{ns}}-n', { spec: { finalizers: [] } })),
      get(`${namespaces}/{{ns}}-n`),
      remove(`${namespaces}/default`),
      remove(`${namespaces}/kube-system`),
    ),
    script(
      'ServiceAccount',
      post(serviceAccounts, make.serviceAccount('sa')),
      get(`${serviceAccounts}/sa`),
      patch('merge', `${serviceAccounts}/sa`, { automountServiceAccountToken: false }),
      patch('strategic', `${serviceAccounts}/sa`, { imagePullSecrets: [{ name: 'a' }] }),
      patch('strategic', `${serviceAccounts}/sa`, { imagePullSecrets: [{ name: 'b' }] }),
      remove(`${serviceAccounts}/sa`),
    ),
  ],
};
