import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, post, remove, script } from '../script.ts';

const long = 'x'.repeat(254);
const { claims, configMaps } = paths;

export const create: Topic = {
  name: 'create',
  scripts: [
    script('a claim', post(claims, make.claim('a'), { as: 'a' }), get(`${claims}/a`)),
    script(
      'a claim with everything',
      post(
        claims,
        make.claim('full', {
          metadata: { labels: { app: 'x', empty: '' }, annotations: { note: 'y' }, finalizers: ['example.com/hold'] },
          spec: {
            accessModes: ['ReadWriteMany', 'ReadOnlyMany'],
            resources: { requests: { storage: '1024Mi' }, limits: { storage: '2048Mi' } },
            selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] },
            volumeMode: 'Block',
            volumeName: 'pv-x',
            dataSource: { kind: 'PersistentVolumeClaim', name: 'source' },
          },
        }),
      ),
      get(`${claims}/full`),
    ),
    script(
      'a claim whose class is not named',
      post(claims, make.claim('no-class', { spec: { storageClassName: null } })),
    ),
    script(
      'a claim with a status',
      post(claims, make.claim('s', { status: { phase: 'Bound', capacity: { storage: '9Gi' } } })),
    ),
    script(
      'claims that are wrong',
      post(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'empty' } }),
      post(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'empty-spec' }, spec: {} }),
      post(claims, make.claim('modes', { spec: { accessModes: [] } })),
      post(claims, make.claim('mode', { spec: { accessModes: ['Sometimes'] } })),
      post(claims, make.claim('pod-mode', { spec: { accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] } })),
      post(claims, make.claim('zero', { spec: { resources: { requests: { storage: '0' } } } })),
      post(claims, make.claim('negative', { spec: { resources: { requests: { storage: '-1Gi' } } } })),
      post(claims, make.claim('quantity', { spec: { resources: { requests: { storage: '1.5x' } } } })),
      post(claims, make.claim('fraction', { spec: { resources: { requests: { storage: '1500m' } } } })),
      post(claims, make.claim('number', { spec: { resources: { requests: { storage: 1073741824 } } } })),
      post(claims, make.claim('volume-mode', { spec: { volumeMode: 'Sideways' } })),
      post(claims, make.claim('class', { spec: { storageClassName: 'Not_A_Name' } })),
      post(claims, make.claim('empty-class', { spec: { storageClassName: '' } })),
    ),
    script(
      'names',
      post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }),
      post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap' }),
      post(configMaps, make.configMap('Upper')),
      post(configMaps, make.configMap('under_score')),
      post(configMaps, make.configMap('ends-')),
      post(configMaps, make.configMap('dots.are.fine')),
      post(configMaps, make.configMap('..')),
      post(configMaps, make.configMap(long)),
      post(configMaps, make.configMap('a/b')),
      post(configMaps, make.configMap('sp ace')),
    ),
    script(
      'generateName',
      post(configMaps, { metadata: { generateName: 'gen-' } }, { as: 'generated' }),
      get(`${configMaps}/{{generated.name}}`),
      post(configMaps, { metadata: { generateName: 'Bad_' } }),
      post(configMaps, { metadata: { generateName: 'unused-', name: 'named' } }),
      post(configMaps, { metadata: { generateName: 'y'.repeat(80) } }),
    ),
    script(
      'labels and annotations',
      post(configMaps, make.configMap('label-value', { metadata: { labels: { a: 'not a value' } } })),
      post(configMaps, make.configMap('label-key', { metadata: { labels: { '-bad-': 'x' } } })),
      post(configMaps, make.configMap('label-prefix', { metadata: { labels: { 'Bad_Prefix/x': 'x' } } })),
      post(configMaps, make.configMap('label-slashes', { metadata: { labels: { 'a/b/c': 'x' } } })),
      post(configMaps, make.configMap('label-long', { metadata: { labels: { a: 'z'.repeat(64) } } })),
      post(configMaps, make.configMap('annotation-key', { metadata: { annotations: { 'Some Key': 'x' } } })),
      post(
        configMaps,
        make.configMap('annotation-case', { metadata: { annotations: { 'Example.COM/Key': 'any thing' } } }),
      ),
      post(configMaps, make.configMap('annotation-long', { metadata: { annotations: { a: 'z'.repeat(256 * 1024) } } })),
      post(configMaps, make.configMap('label-number', { metadata: { labels: { a: 1 } } })),
      post(configMaps, make.configMap('empty-maps', { metadata: { labels: {}, annotations: {}, finalizers: [] } })),
      post(
        configMaps,
        make.configMap('nulls', { metadata: { labels: null, annotations: null, creationTimestamp: null } }),
      ),
    ),
    script(
      'finalizers and owners',
      post(configMaps, make.configMap('f1', { metadata: { finalizers: ['unqualified'] } })),
      post(configMaps, make.configMap('f2', { metadata: { finalizers: ['example.com/a', 'example.com/a'] } })),
      post(configMaps, make.configMap('f3', { metadata: { finalizers: ['Bad Name/x'] } })),
      post(configMaps, make.configMap('f4', { metadata: { finalizers: ['orphan', 'foregroundDeletion'] } })),
      post(
        configMaps,
        make.configMap('o1', {
          metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' }] },
        }),
      ),
      post(
        configMaps,
        make.configMap('o2', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }] } }),
      ),
      post(configMaps, make.configMap('o3', { metadata: { ownerReferences: [{}] } })),
      post(
        configMaps,
        make.configMap('o4', {
          metadata: {
            ownerReferences: [
              { apiVersion: 'v1', kind: 'A', name: 'x', uid: '1', controller: true },
              { apiVersion: 'v1', kind: 'A', name: 'y', uid: '2', controller: true },
            ],
          },
        }),
      ),
    ),
    script(
      'what only the server sets',
      post(configMaps, make.configMap('rv', { metadata: { resourceVersion: '5' } })),
      post(
        configMaps,
        make.configMap('system', {
          metadata: { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 7 },
        }),
      ),
      post(
        configMaps,
        make.configMap('deleted', {
          metadata: { deletionTimestamp: '2001-01-01T00:00:00Z', deletionGracePeriodSeconds: 3 },
        }),
      ),
      post(configMaps, make.configMap('self', { metadata: { selfLink: '/x', managedFields: [] } })),
    ),
    script(
      'twice',
      post(configMaps, make.configMap('twice')),
      post(configMaps, make.configMap('twice')),
      post(paths.classes, make.storageClass('{{ns}}-twice')),
      post(paths.classes, make.storageClass('{{ns}}-twice')),
      remove(`${paths.classes}/{{ns}}-twice`),
    ),
    script(
      'places',
      post(configMaps, make.configMap('elsewhere', { metadata: { namespace: 'default' } })),
      post(configMaps, make.configMap('here', { metadata: { namespace: '{{ns}}' } })),
      post('/api/v1/namespaces/not-there/configmaps', make.configMap('x')),
      post('/api/v1/configmaps', make.configMap('x')),
      post('/api/v1/configmaps', make.configMap('x', { metadata: { namespace: '{{ns}}' } })),
      post(paths.classes, make.storageClass('{{ns}}-sc', { metadata: { namespace: 'default' } })),
      remove(`${paths.classes}/{{ns}}-sc`),
      post(`${configMaps}/named`, make.configMap('named')),
    ),
    script(
      'the kind in the body',
      post(configMaps, { metadata: { name: 'no-kind' }, data: { a: 'b' } }),
      post(configMaps, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'other-kind' } }),
      post(configMaps, { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'other-version' } }),
      post(configMaps, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'other-group' } }),
      post(configMaps, { kind: 'ConfigMap', metadata: { name: 'no-version' } }),
      post(configMaps, { apiVersion: 'a/b/c', kind: 'ConfigMap', metadata: { name: 'odd-version' } }),
    ),
    script(
      'dry run',
      post(`${configMaps}?dryRun=All`, make.configMap('dry', { data: { a: 'b' } })),
      get(`${configMaps}/dry`),
      post(`${configMaps}?dryRun=Some`, make.configMap('dry')),
      post(`${configMaps}?dryRun=All&dryRun=All`, make.configMap('dry')),
      post(`${configMaps}?dryRun=`, make.configMap('dry-empty')),
    ),
    script(
      'options',
      post(`${configMaps}?fieldManager=someone`, make.configMap('managed', { data: { a: 'b' } })),
      post(`${configMaps}?fieldManager=${'m'.repeat(129)}`, make.configMap('long-manager')),
      post(`${configMaps}?pretty=true`, make.configMap('pretty')),
      post(`${configMaps}?whatIsThis=1`, make.configMap('query')),
      post(`${configMaps}?fieldValidation=Perhaps`, make.configMap('validation')),
    ),
  ],
};
