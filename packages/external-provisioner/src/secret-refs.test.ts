import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveSecretRefs, type SecretTemplateValues } from './secret-refs.ts';
import { expandTemplate } from './secret-template.ts';

const values: SecretTemplateValues = {
  volumeName: 'pvc-1',
  claimName: 'data',
  claimNamespace: 'team-a',
  claimAnnotations: { 'example.com/key': 'blue' },
};

const p = 'csi.storage.k8s.io/';

describe('resolveSecretRefs', () => {
  it('gives every purpose the default pair', () => {
    const refs = resolveSecretRefs({ [`${p}secret-name`]: 'all', [`${p}secret-namespace`]: 'infra' }, values);
    expect(Object.keys(refs)).toHaveLength(7);
    expect(refs['node-stage']).toEqual({ name: 'all', namespace: 'infra' });
  });

  it('prefers the purpose’s own pair and fills in templates', () => {
    const refs = resolveSecretRefs(
      {
        [`${p}secret-name`]: 'all',
        [`${p}secret-namespace`]: 'infra',
        [`${p}node-publish-secret-name`]: `\${pvc.name}-\${pvc.annotations['example.com/key']}-\${pv.name}`,
        [`${p}node-publish-secret-namespace`]: `\${pvc.namespace}`,
      },
      values,
    );
    expect(refs['node-publish']).toEqual({ name: 'data-blue-pvc-1', namespace: 'team-a' });
    expect(refs.provisioner).toEqual({ name: 'all', namespace: 'infra' });
  });

  it('still reads the deprecated names', () => {
    const parameters = { csiProvisionerSecretName: 'old', csiProvisionerSecretNamespace: 'infra' };
    expect(resolveSecretRefs(parameters, values)).toEqual({ provisioner: { name: 'old', namespace: 'infra' } });
  });

  it('needs no secret when the class names none', () => {
    expect(resolveSecretRefs({ type: 'fast' }, values)).toEqual({});
  });

  it.each<[string, Record<string, string>, string]>([
    ['half a pair', { [`${p}provisioner-secret-name`]: 'a' }, 'belong together'],
    ['an empty value', { [`${p}secret-name`]: '', [`${p}secret-namespace`]: 'x' }, 'belong together'],
    [
      'old and new names at once',
      {
        csiProvisionerSecretName: 'a',
        csiProvisionerSecretNamespace: 'b',
        [`${p}provisioner-secret-name`]: 'a',
        [`${p}provisioner-secret-namespace`]: 'b',
      },
      'both name the provisioner secret',
    ],
    ['an unknown token', { [`${p}secret-name`]: `\${pvc.uid}`, [`${p}secret-namespace`]: 'x' }, `\${pvc.uid}`],
    [
      'a claim token in the namespace',
      { [`${p}secret-name`]: 'a', [`${p}secret-namespace`]: `\${pvc.name}` },
      `\${pvc.name}`,
    ],
    [
      'an annotation the claim lacks',
      { [`${p}secret-name`]: `\${pvc.annotations['other']}`, [`${p}secret-namespace`]: 'x' },
      `\${pvc.annotations['other']}`,
    ],
    ['a name that is none', { [`${p}secret-name`]: 'Not_A_Name', [`${p}secret-namespace`]: 'x' }, 'DNS-1123 subdomain'],
    ['a path for a namespace', { [`${p}secret-name`]: 'a', [`${p}secret-namespace`]: '../x' }, 'DNS-1123 label'],
  ])('refuses %s', (_, parameters, text) => {
    expect(() => resolveSecretRefs(parameters, values)).toThrow(text);
  });
});

describe('expandTemplate', () => {
  const known = new Map([
    ['a.b', 'X'],
    ['word', 'Y'],
  ]);

  it('reads both spellings of a token, and a lone dollar as itself', () => {
    expect(expandTemplate(`\${a.b}-$word-$`, known, 'p')).toBe('X-Y-$');
  });

  it('refuses a brace that is never closed', () => {
    expect(() => expandTemplate(`x\${a.b`, known, 'p')).toThrow(`\${a.b`);
  });

  it('leaves text without a dollar alone', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('$')),
        (text) => expandTemplate(text, known, 'p') === text,
      ),
    );
  });

  it('never expands what a value brought in', () => {
    expect(expandTemplate(`\${a}`, new Map([['a', `\${a}`]]), 'p')).toBe(`\${a}`);
  });
});
