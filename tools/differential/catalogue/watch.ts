import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { configMaps, claims } = paths;
const watch = (query: string): string => `${configMaps}?watch=true&timeoutSeconds=1&${query}`;
const labelled = (name: string, value: string) => make.configMap(name, { metadata: { labels: { in: value } } });
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

export const watches: Topic = {
  name: 'watch',
  scripts: [
    script(
      'a life',
      get(configMaps, { as: 'empty' }),
      post(configMaps, make.configMap('a', { data: { n: '1' } })),
      patch('merge', `${configMaps}/a`, { data: { n: '2' } }),
      patch('merge', `${configMaps}/a`, { data: { n: '2' } }),
      put(`${configMaps}/a`, make.configMap('a', { metadata: { finalizers: ['example.com/x'] } })),
      remove(`${configMaps}/a`),
      patch('merge', `${configMaps}/a`, { metadata: { finalizers: null } }),
      post(configMaps, make.configMap('a')),
      get(watch('resourceVersion={{empty.rv}}')),
      get(watch('resourceVersion={{empty.rv}}&allowWatchBookmarks=true')),
      get(`${configMaps}/a?watch=true&timeoutSeconds=1&resourceVersion={{empty.rv}}`),
      get(watch('')),
      get(watch('resourceVersion=0')),
      get(`/api/v1/watch/namespaces/{{ns}}/configmaps?timeoutSeconds=1`),
    ),
    script(
      'into and out of a selector',
      get(configMaps, { as: 'start' }),
      post(configMaps, labelled('b', 'no')),
      patch('merge', `${configMaps}/b`, { metadata: { labels: { in: 'yes' } } }),
      patch('merge', `${configMaps}/b`, { data: { a: 'b' } }),
      patch('merge', `${configMaps}/b`, { metadata: { labels: { in: 'no' } } }),
      patch('merge', `${configMaps}/b`, { data: { a: 'c' } }),
      patch('merge', `${configMaps}/b`, { metadata: { labels: { in: 'yes' } } }),
      remove(`${configMaps}/b`),
      get(watch('resourceVersion={{start.rv}}&labelSelector=in=yes')),
      get(watch('resourceVersion={{start.rv}}&labelSelector=in=no')),
      get(watch('resourceVersion={{start.rv}}&fieldSelector=metadata.name=b')),
      get(watch('resourceVersion={{start.rv}}&fieldSelector=metadata.name!=b')),
    ),
    script(
      'initial events',
      post(configMaps, make.configMap('c1'), { as: 'c1' }),
      post(configMaps, make.configMap('c2'), { as: 'c2' }),
      get(watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')),
      get(watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0')),
      get(
        watch(
          'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion={{c2.rv}}',
        ),
      ),
      get(watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan')),
      get(watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion={{c1.rv}}')),
      get(watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan')),
      get(watch('sendInitialEvents=true')),
      get(watch('sendInitialEvents=true&resourceVersionMatch=Exact')),
      get(watch('resourceVersionMatch=NotOlderThan')),
      get(watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999999999')),
      get(
        watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=none=x'),
      ),
    ),
    script(
      'what cannot be watched',
      get(watch('resourceVersion=x')),
      get(watch('resourceVersion=99999999999')),
      get(watch('labelSelector=a b')),
      get(watch('fieldSelector=data.a=b')),
      get(watch('continue=x')),
      get(`${configMaps}?watch=true&timeoutSeconds=x`),
      get(`${configMaps}?watch=true&timeoutSeconds=1`, { headers: { accept: 'text/html' } }),
      get('/apis/storage.k8s.io/v1/nothing?watch=true&timeoutSeconds=1'),
      get(`${configMaps}/a/status?watch=true&timeoutSeconds=1`),
    ),
    script(
      'other shapes',
      post(configMaps, make.configMap('s', { data: { a: 'b' } })),
      get(watch('fieldSelector=metadata.name=s'), { headers: { accept: table } }),
      get(watch('fieldSelector=metadata.name=s'), {
        headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
      }),
      get(watch('limit=1&fieldSelector=metadata.name=s')),
      get(watch('timeoutSeconds=1&watch=1&fieldSelector=metadata.name=s')),
    ),
    script(
      'a claim and its status',
      post(claims, make.claim('c'), { as: 'c' }),
      patch('merge', `${claims}/c/status`, { status: { phase: 'Bound' } }),
      patch('merge', `${claims}/c`, { metadata: { annotations: { a: 'b' } } }),
      remove(`${claims}/c`),
      patch('merge', `${claims}/c`, { metadata: { finalizers: null } }),
      get(`${claims}?watch=true&timeoutSeconds=1&resourceVersion={{c.rv}}`),
    ),
  ],
};
