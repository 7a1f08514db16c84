import type { Pod } from '@holdfast/kube';
import { expect, it } from 'vitest';
import { toleratedMs } from './decide.ts';

type Tolerations = NonNullable<NonNullable<Pod['spec']>['tolerations']>;
const unreachable = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
const own = { key: 'own', value: 'x', effect: 'NoExecute' };
const forAWhile = { key: unreachable.key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };

it.each([
  ['nothing', [], [unreachable], 0],
  ['it for a while', [forAWhile], [unreachable], 300_000],
  [
    'it for a while, and another for ever',
    [forAWhile, { key: 'own', operator: 'Exists' }],
    [unreachable, own],
    300_000,
  ],
  ['one of two', [forAWhile], [unreachable, own], 0],
  ['everything', [{ operator: 'Exists' }], [unreachable, own], undefined],
  ['another value', [{ key: 'own', value: 'y' }], [own], 0],
  ['its value', [{ key: 'own', value: 'x', effect: '' }], [own], undefined],
  ['another effect', [{ key: 'own', operator: 'Exists', effect: 'NoSchedule' }], [own], 0],
  ['the shorter of two times', [forAWhile, { operator: 'Exists', tolerationSeconds: 5 }], [unreachable], 5_000],
  ['less than no time', [{ ...forAWhile, tolerationSeconds: -3 }], [unreachable], 0],
] satisfies [string, Tolerations, object[], number | undefined][])(
  'a pod that tolerates %s',
  (_what, tolerations, taints, ms) => {
    const pod: Pod = {
      metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
      spec: { containers: [], tolerations },
    };
    expect(toleratedMs(pod, taints)).toBe(ms);
  },
);
