import type { Pod } from '@holdfast/kube';
import type { Taint } from '../node-health.ts';

type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number];

/** How long a pod may stay on a node with these NoExecute taints; undefined for ever. */
export function toleratedMs(pod: Pod, taints: readonly Taint[]): number | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  const used = taints.map((taint) => tolerations.filter((toleration) => tolerates(toleration, taint)));
  if (used.some((found) => found.length === 0)) {
    return 0;
  }
  const limits = used.flat().flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits)) * 1_000;
}

export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  const isKeyMet = key === '' ? operator === 'Exists' : key === taint.key;
  const isEffectMet = effect === '' || effect === taint.effect;
  return isKeyMet && isEffectMet && (operator === 'Exists' || value === (taint.value ?? ''));
}
