import { parseGoDuration } from '@holdfast/core';
import { describe, expect, it } from 'vitest';
import { provisionerFlags } from './flags.ts';
import { upstreamFlags } from './testing/upstream-flags.ts';

/** Where the default is another on purpose; see docs/differences.md. */
const differing = new Set(['kube-api-qps', 'kube-api-burst']);

function printed(name: string): string {
  const spec = Object.entries(provisionerFlags.table).find(([flag]) => flag === name)?.[1];
  if (!spec || spec.type === 'gates') return '';
  if (spec.type === 'map') return 'map[]';
  return ['false', '0'].includes(String(spec.default)) ? '' : String(spec.default);
}

describe('the flags', () => {
  it('are those of the Go sidecar, every one and no other', () => {
    expect(Object.keys(provisionerFlags.table).sort()).toEqual(Object.keys(upstreamFlags).sort());
  });

  it.each(Object.entries(upstreamFlags).filter(([name]) => !differing.has(name)))(
    '--%s is %j by default',
    (name, text) => {
      const ours = printed(name);
      const isDuration = /^[\d.]+[smh]/.test(text);
      if (isDuration) expect(parseGoDuration(ours)).toBe(parseGoDuration(text));
      else expect(ours).toBe(text);
    },
  );
});
