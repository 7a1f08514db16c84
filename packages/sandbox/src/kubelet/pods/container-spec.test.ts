import type { Pod } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { type Container, ContainerSpecError, containerSpec, expand } from './container-spec.ts';

const pod: Pod = {
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    uid: 'uid-1',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { 'app.kubernetes.io/name': 'web' },
  },
  spec: { nodeName: 'node-a', containers: [], securityContext: { runAsUser: 1, fsGroup: 7, supplementalGroups: [8] } },
};
const sources = new Map([
  ['data', { path: '/host/data', isReadOnly: false }],
  ['fixed', { path: '/host/fixed', isReadOnly: true }],
]);

function build(over: Partial<Container>) {
  return containerSpec(pod, { name: 'app', image: 'busybox', command: ['sh'], ...over }, sources, 2);
}

describe('containerSpec', () => {
  it('joins command and args and fills in variables, as Kubernetes does', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)2' },
    ];
    expect(build({ command: ['echo', '$(B)'], args: ['$$(A)', '$(C)'], env })).toMatchObject({
      command: ['echo', '12', '$(A)', '$(C)'],
      env: { A: '1', B: '12', HOSTNAME: 'web-0' },
      restarts: 2,
    });
  });

  it.each([
    ['metadata.name', 'web-0'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'uid-1'],
    ["metadata.labels['app.kubernetes.io/name']", 'web'],
    ["metadata.annotations['none']", ''],
    ['spec.nodeName', 'node-a'],
    ['spec.serviceAccountName', 'default'],
    ['status.hostIP', '127.0.0.1'],
  ])('reads field %s', (fieldPath, value) => {
    const env = [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }];
    expect(build({ env }).env['X']).toBe(value);
  });

  it('mounts outer folders before what lies in them, and honours both ways to say read-only', () => {
    const volumeMounts = [
      { name: 'fixed', mountPath: '/srv/a/b/' },
      { name: 'data', mountPath: '/srv', readOnly: true },
      { name: 'data', mountPath: '/srv/a' },
    ];
    const volumeDevices = [{ name: 'data', devicePath: '/dev/xvda' }];
    expect(build({ volumeMounts, volumeDevices }).mounts).toEqual([
      { source: '/host/data', target: '/srv', isReadOnly: true },
      { source: '/host/data', target: '/srv/a', isReadOnly: false },
      { source: '/host/data', target: '/dev/xvda', isReadOnly: false },
      { source: '/host/fixed', target: '/srv/a/b', isReadOnly: true },
    ]);
  });

  it('takes the user of the container before that of the pod, and the groups of the pod', () => {
    expect(build({ securityContext: { runAsUser: 5, runAsGroup: 6 } })).toMatchObject({
      user: 5,
      group: 6,
      groups: [8, 7],
    });
    expect(build({})).toMatchObject({ user: 1, group: undefined });
  });

  it.each([
    [undefined, '/'],
    ['/', '/'],
    ['/srv/', '/srv'],
  ])('workingDir %s', (workingDir, expected) => {
    expect(build(workingDir === undefined ? {} : { workingDir }).workingDir).toBe(expected);
  });

  it.each<[Partial<Container>, RegExp]>([
    [{ command: [] }, /"app" has no command: its image is not pulled/],
    [{ command: [], args: ['x'] }, /"app" has no command/],
    [{ workingDir: 'srv' }, /workingDir is "srv"; use an absolute path/],
    [{ volumeMounts: [{ name: 'data', mountPath: '/' }] }, /mountPath of volume "data" is "\/"/],
    [{ volumeMounts: [{ name: 'data', mountPath: '/a/../../etc' }] }, /use an absolute path below \/ without ".."/],
    [{ volumeMounts: [{ name: 'data', mountPath: '/a\0' }] }, /mountPath of volume "data"/],
    [{ volumeMounts: [{ name: 'nope', mountPath: '/a' }] }, /volume "nope" is not among the volumes of the pod/],
    [{ volumeMounts: [{ name: 'data', mountPath: '/a', subPath: 'x' }] }, /subPath is not supported/],
    [{ volumeDevices: [{ name: 'data', devicePath: 'xvda' }] }, /devicePath of volume "data" is "xvda"/],
    [{ env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, /env "S": only a value/],
    [{ env: [{ name: 'S', valueFrom: { fieldRef: { fieldPath: 'spec.other' } } }] }, /env "S": only a value/],
    [{ envFrom: [{ configMapRef: { name: 'c' } }] }, /envFrom is not supported/],
  ])('refuses %j', (over, message) => {
    expect(() => build(over)).toThrow(ContainerSpecError);
    expect(() => build(over)).toThrow(message);
  });
});

it('expand leaves alone what it does not know', () => {
  expect(expand('$(A) $A ${A} $$ $$$(A) $(', { A: 'a' })).toBe('a $A ${A} $ $a $(');
});
