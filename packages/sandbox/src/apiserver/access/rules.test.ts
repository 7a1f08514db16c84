import { describe, expect, it } from 'vitest';
import { attributesOf } from './request-attributes.ts';
import { type Attributes, readRule, ruleAllows } from './rules.ts';

function resource(wanted: Partial<Attributes>): Attributes {
  const nothing = { group: '', resource: 'pods', subresource: '', name: '', namespace: '' } as const;
  return { ...nothing, verb: 'get', ...wanted, kind: 'resource' };
}

const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

describe('a rule', () => {
  it.each([
    ['what it names', {}, {}, true],
    ['another verb', {}, { verb: 'list' }, false],
    ['any verb', { verbs: ['*'] }, { verb: 'list' }, true],
    ['another group', {}, { group: 'apps' }, false],
    ['any group', { apiGroups: ['*'] }, { group: 'apps' }, true],
    ['another resource', {}, { resource: 'nodes' }, false],
    ['a subresource of its resource', {}, { subresource: 'status' }, false],
    ['the subresource it names', { resources: ['pods/status'] }, { subresource: 'status' }, true],
    ['the resource of a subresource it names', { resources: ['pods/status'] }, {}, false],
    ['a subresource of every resource', { resources: ['*/status'] }, { subresource: 'status' }, true],
    ['another subresource of every resource', { resources: ['*/status'] }, { subresource: 'log' }, false],
    ['every subresource', { resources: ['*'] }, { subresource: 'status' }, true],
    ['no resource by all of its subresources', { resources: ['pods/*'] }, { subresource: 'status' }, false],
    ['the name it names', { resourceNames: ['a'] }, { name: 'a' }, true],
    ['another name', { resourceNames: ['a'] }, { name: 'b' }, false],
    ['no name where it names one', { resourceNames: ['a'] }, {}, false],
  ])('for %s', (_, change, wanted, allowed) => {
    expect(ruleAllows(readRule({ ...rule, ...change }), resource(wanted))).toBe(allowed);
  });

  it.each([
    [['/healthz'], '/healthz', true],
    [['/healthz'], '/healthz/ping', false],
    [['/healthz/*'], '/healthz/ping', true],
    [['/healthz/*'], '/healthz', false],
    [['*'], '/anything', true],
  ])('of paths %j for %s', (nonResourceURLs, path, allowed) => {
    expect(ruleAllows(readRule({ verbs: ['get'], nonResourceURLs }), { kind: 'path', verb: 'get', path })).toBe(
      allowed,
    );
  });
});

describe('what a request wants', () => {
  it.each([
    ['GET', '/api/v1/pods', { verb: 'list' }],
    ['HEAD', '/api/v1/pods', { verb: 'list' }],
    ['GET', '/api/v1/pods?watch=1', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=false', { verb: 'list' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Da,spec.nodeName%3Dn', { verb: 'list', name: 'a' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name!%3Da', { verb: 'list' }],
    ['DELETE', '/api/v1/namespaces/ns/pods', { verb: 'deletecollection', namespace: 'ns' }],
    ['DELETE', '/api/v1/namespaces/ns/pods/a', { verb: 'delete', namespace: 'ns', name: 'a' }],
    [
      'PATCH',
      '/api/v1/namespaces/ns/pods/a/status',
      { verb: 'patch', namespace: 'ns', name: 'a', subresource: 'status' },
    ],
    ['POST', '/api/v1/namespaces/ns/pods', { verb: 'create', namespace: 'ns' }],
    ['GET', '/api/v1/namespaces/ns', { verb: 'get', resource: 'namespaces', namespace: 'ns', name: 'ns' }],
    [
      'PUT',
      '/api/v1/namespaces/ns/finalize',
      { verb: 'update', resource: 'namespaces', namespace: 'ns', name: 'ns', subresource: 'finalize' },
    ],
    ['GET', '/apis/apps/v1/nowhere/a%3Ab', { verb: 'get', group: 'apps', resource: 'nowhere', name: 'a:b' }],
  ])('%s %s', (method, url, wanted) => {
    const [path = '', query = ''] = url.split('?');
    expect(attributesOf(method, path, new URLSearchParams(query))).toEqual(resource(wanted));
  });

  it.each([
    ['GET', '/'],
    ['GET', '/api/v1'],
    ['POST', '/apis/apps/v1'],
    ['GET', '/healthz/ping'],
  ])('%s %s, which is no resource', (method, path) => {
    expect(attributesOf(method, path, new URLSearchParams())).toEqual({
      kind: 'path',
      verb: method.toLowerCase(),
      path,
    });
  });
});
