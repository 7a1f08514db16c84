import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, script } from '../script.ts';

const { configMaps, claims, pods } = paths;
const map = (name: string, rest = {}) => make.configMap(name, rest);
const as = (name: string, manager: string, force = ''): string =>
  `${configMaps}/${name}?fieldManager=${manager}${force}`;

export const apply: Topic = {
  name: 'apply',
  scripts: [
    script(
      'one manager',
      patch('apply', as('a', 'one'), map('a', { data: { x: '1', y: '2' } })),
      patch('apply', as('a', 'one'), map('a', { data: { x: '1', y: '2' } })),
      patch('apply', as('a', 'one'), map('a', { data: { x: '3' } })),
      patch('apply', as('a', 'one'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "4"\n'),
      patch('apply', as('a', 'one'), map('a')),
      get(`${configMaps}/a`),
    ),
    script(
      'two managers',
      patch('apply', as('b', 'one'), map('b', { data: { x: '1', y: '1' } })),
      patch('apply', as('b', 'two'), map('b', { data: { y: '1', z: '1' } })),
      patch('apply', as('b', 'two'), map('b', { data: { x: '2' } })),
      patch('apply', as('b', 'two', '&force=true'), map('b', { data: { x: '2' } })),
      patch('apply', as('b', 'one'), map('b', { data: { x: '1', y: '1' } })),
      patch('apply', as('b', 'one'), map('b', { data: { y: '5' } })),
      patch('apply', as('b', 'three'), map('b', { data: { x: '7', y: '7' } })),
      get(`${configMaps}/b`),
    ),
    script(
      'beside other writes',
      post(`${configMaps}?fieldManager=maker`, map('c', { data: { x: '1' }, metadata: { labels: { a: 'b' } } })),
      patch('apply', as('c', 'one'), map('c', { data: { x: '2' } })),
      patch('apply', as('c', 'one'), map('c', { data: { x: '1', y: '1' } })),
      patch('merge', `${configMaps}/c?fieldManager=patcher`, { data: { y: '2' } }),
      patch('apply', as('c', 'one'), map('c', { data: { x: '1', y: '1' } })),
      patch('apply', as('c', 'one', '&force=true'), map('c', { data: { x: '1', y: '1' } })),
      put(`${configMaps}/c?fieldManager=putter`, map('c', { data: { x: '9', z: '1' } })),
      patch('apply', as('c', 'maker'), map('c', { data: { x: '9' } })),
      patch('merge', `${configMaps}/c`, { metadata: { managedFields: [{}] } }),
      get(`${configMaps}/c`),
    ),
    script(
      'wrong',
      patch('apply', `${configMaps}/d`, map('d')),
      patch('apply', as('d', 'one'), map('other')),
      patch('apply', as('d', 'one'), { apiVersion: 'v1', kind: 'ConfigMap' }),
      patch('apply', as('d', 'one'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }),
      patch('apply', as('d', 'one'), { kind: 'ConfigMap', metadata: { name: 'd' } }),
      patch('apply', as('d', 'one'), { apiVersion: 'v1', metadata: { name: 'd' } }),
      patch('apply', as('d', 'one'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'd' } }),
      patch('apply', as('d', 'one'), map('d', { metadata: { managedFields: [] } })),
      patch('apply', as('d', 'one'), map('d', { metadata: { managedFields: [{ manager: 'x' }] } })),
      patch('apply', as('d', 'one'), map('d', { dat: { x: 'y' } })),
      patch('apply', as('d', 'one'), map('d', { data: { x: 5 } })),
      patch('apply', as('d', 'one'), ''),
      patch('apply', as('d', 'one'), 'a: [b'),
      patch('apply', as('d', 'one'), '[]'),
      patch('apply', as('d', 'one', '&force=perhaps'), map('d')),
      patch('apply', as('d', 'one', '&dryRun=All'), map('d')),
      get(`${configMaps}/d`),
      patch('apply', as('d', 'one'), map('d', { metadata: { resourceVersion: '5' } })),
      patch('apply', as('d', 'one'), map('d', { metadata: { uid: 'x' } })),
      patch('apply', as('d', 'one'), map('d'), { as: 'd' }),
      patch('apply', as('d', 'one'), map('d', { metadata: { resourceVersion: '{{d.rv}}', labels: { a: 'b' } } })),
      patch('apply', as('d', 'one'), map('d', { metadata: { resourceVersion: '{{d.rv}}', labels: { a: 'c' } } })),
      patch('apply', as('d', 'one'), map('d', { metadata: { namespace: 'default' } })),
    ),
    script(
      'lists in it',
      patch('apply', `${pods}/p?fieldManager=one`, make.pod('p', { metadata: { finalizers: ['example.com/a'] } })),
      patch('apply', `${pods}/p?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', finalizers: ['example.com/b'], labels: { a: 'b' } },
      }),
      patch('apply', `${pods}/p?fieldManager=two`, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }),
      patch('apply', `${pods}/p?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'main', image: 'registry.example/app:9' }] },
      }),
      patch('apply', `${pods}/p?fieldManager=two&force=true`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'main', image: 'registry.example/app:9' }] },
      }),
      get(`${pods}/p`),
    ),
    script(
      'a claim and its status',
      patch('apply', `${claims}/c?fieldManager=one`, make.claim('c', { metadata: { annotations: { a: 'b' } } })),
      patch('apply', `${claims}/c?fieldManager=one`, make.claim('c', { status: { phase: 'Bound' } })),
      patch('apply', `${claims}/c/status?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'c' },
        status: { phase: 'Bound', conditions: [{ type: 'Resizing', status: 'True' }] },
      }),
      patch('apply', `${claims}/c/status?fieldManager=three`, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'c' },
        status: { phase: 'Lost' },
      }),
      patch('apply', `${claims}/c/status?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'c' },
        status: {},
      }),
      patch('apply', `${claims}/absent/status?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'absent' },
        status: {},
      }),
      get(`${claims}/c`),
    ),
  ],
};
