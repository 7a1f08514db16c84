import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { configMaps, claims, pods } = paths;
const text = (type: string): { headers: { 'content-type': string } } => ({ headers: { 'content-type': type } });
const yamlMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  a: b\n';
const withUnknown = (name: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","colour":"red"},"data":{"a":"b"},"dat":{"x":"y"}}`;
const withTwice = (name: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{"a":"b"},"data":{"a":"c"}}`;

export const bodies: Topic = {
  name: 'bodies',
  scripts: [
    script(
      'malformed',
      post(configMaps, '{"apiVersion":"v1",'),
      post(configMaps, ''),
      post(configMaps, 'null'),
      post(configMaps, '[]'),
      post(configMaps, '"text"'),
      post(configMaps, '42'),
      post(configMaps, '{}'),
      post(configMaps, 'apiVersion: v1'),
      post(configMaps, '{"metadata":{"name":"trailing"}} and more'),
      put(`${configMaps}/x`, '{'),
      put(`${configMaps}/x`, ''),
      remove(`${configMaps}/x`, '{'),
    ),
    script(
      'content types',
      post(configMaps, JSON.stringify(make.configMap('t1')), text('text/plain')),
      post(configMaps, JSON.stringify(make.configMap('t2')), text('application/xml')),
      post(configMaps, JSON.stringify(make.configMap('t3')), text('application/json; charset=utf-8')),
      post(configMaps, JSON.stringify(make.configMap('t4')), text('')),
      post(configMaps, yamlMap, text('application/yaml')),
      post(configMaps, 'a: [', text('application/yaml')),
      post(configMaps, yamlMap.replace('from-yaml', 'as-json'), text('application/json')),
      post(configMaps, JSON.stringify(make.configMap('t5')), text('application/merge-patch+json')),
      put(`${configMaps}/t3`, JSON.stringify(make.configMap('t3')), text('text/plain')),
    ),
    script(
      'wrong types',
      post(configMaps, { metadata: { name: 5 } }),
      post(configMaps, { metadata: 'x' }),
      post(configMaps, { metadata: { name: 'a' }, data: 'x' }),
      post(configMaps, { metadata: { name: 'a' }, immutable: 'yes' }),
      post(claims, make.claim('a', { spec: { accessModes: 'ReadWriteOnce' } })),
      post(claims, make.claim('a', { spec: { resources: [] } })),
      post(claims, make.claim('a', { spec: { storageClassName: 3 } })),
      post(claims, make.claim('a', { spec: { volumeName: {} } })),
      post(pods, make.pod('a', { spec: { terminationGracePeriodSeconds: 1.5 } })),
      post(pods, make.pod('a', { spec: { containers: {} } })),
      post(pods, make.pod('a', { spec: { hostNetwork: 'true' } })),
      post(
        pods,
        make.pod('a', { spec: { containers: [{ name: 'a', image: 'b', ports: [{ containerPort: 99999999999 }] }] } }),
      ),
      post(claims, { kind: 5, apiVersion: 'v1', metadata: { name: 'a' } }),
    ),
    script(
      'unknown fields',
      post(configMaps, withUnknown('u1')),
      post(`${configMaps}?fieldValidation=Warn`, withUnknown('u2')),
      post(`${configMaps}?fieldValidation=Ignore`, withUnknown('u3')),
      post(`${configMaps}?fieldValidation=Strict`, withUnknown('u4')),
      put(`${configMaps}/u1?fieldValidation=Strict`, withUnknown('u1')),
      patch('merge', `${configMaps}/u1`, '{"dat":{"x":"y"},"metadata":{"labels":{"a":"b"}}}'),
      patch('merge', `${configMaps}/u1?fieldValidation=Strict`, '{"dat":{"x":"y"}}'),
      patch('strategic', `${configMaps}/u1`, '{"dat":{"x":"y"}}'),
      patch('strategic', `${configMaps}/u1?fieldValidation=Strict`, '{"dat":{"x":"y"}}'),
      patch('json', `${configMaps}/u1`, [{ op: 'add', path: '/dat', value: 'x' }]),
      patch('json', `${configMaps}/u1?fieldValidation=Strict`, [{ op: 'add', path: '/dat', value: 'x' }]),
      post(pods, make.pod('nested', { spec: { containers: [{ name: 'a', image: 'b', imag: 'c' }], volums: [] } })),
    ),
    script(
      'a key that is there twice',
      post(configMaps, withTwice('d1')),
      post(`${configMaps}?fieldValidation=Ignore`, withTwice('d2')),
      post(`${configMaps}?fieldValidation=Strict`, withTwice('d3')),
      post(configMaps, '{"metadata":{"name":"d4","labels":{"a":"1","a":"2"}}}'),
      post(configMaps, '{"metadata":{"name":"d5"},"METADATA":{"name":"d6"},"Data":{"a":"b"}}'),
      patch('merge', `${configMaps}/d1`, '{"data":{"x":"1"},"data":{"y":"2"}}'),
      patch('merge', `${configMaps}/d1?fieldValidation=Strict`, '{"data":{"x":"1"},"data":{"z":"2"}}'),
    ),
    script(
      'odd texts',
      post(configMaps, make.configMap('unicode', { data: { a: 'ü 漢 \u0000 \u2028 <&>' } })),
      get(`${configMaps}/unicode`),
      post(configMaps, '{"metadata":{"name":"escapes"},"data":{"a":"\\ud800"}}'),
      post(configMaps, make.configMap('empty-values', { data: { a: '' } })),
      post(configMaps, make.configMap('empty-data', { data: {} })),
      post(configMaps, make.configMap('null-value', { data: { a: null } })),
    ),
  ],
};
