import { CreateVolumeRequest } from '@holdfast/csi-spec';
import type { StorageClass } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RESERVED_PREFIX } from './names.ts';
import { type PlanResult, planVolume, type VolumePlan } from './plan.ts';
import { decodePlans, encodePlans } from './recorded-plans.ts';
import { secretPurposes } from './secret-refs.ts';
import { claimOf, classOf, noTopology, rules, traits } from './testing/objects.ts';
import { startRig } from './testing/rig.ts';

const HOSTILE_ANNOTATION = `\${pvc.name}/../\${pv.name}`;
const claimAnnotations = { team: 'blue', hostile: HOSTILE_ANNOTATION, empty: '' };

const deprecated = ['Provisioner', 'ControllerPublish', 'NodeStage', 'NodePublish'].flatMap((purpose) => [
  `csi${purpose}SecretName`,
  `csi${purpose}SecretNamespace`,
]);
const secretKeys = ['', ...secretPurposes.map((purpose) => `${purpose}-`)].flatMap((purpose) => [
  `${RESERVED_PREFIX}${purpose}secret-name`,
  `${RESERVED_PREFIX}${purpose}secret-namespace`,
]);
const fsTypeKeys = [`${RESERVED_PREFIX}fstype`, 'fstype', 'fsType', 'FSTYPE'];

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...secretKeys) },
  { weight: 2, arbitrary: fc.constantFrom(...deprecated, ...fsTypeKeys) },
  { weight: 1, arbitrary: fc.constantFrom('', 'tier', '__proto__', 'constructor', 'hasOwnProperty', '7') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string().map((text) => `${RESERVED_PREFIX}${text}`) },
);

const token = fc.constantFrom(
  `\${pv.name}`,
  `\${pvc.namespace}`,
  `\${pvc.name}`,
  `\${pvc.annotations['team']}`,
  `\${pvc.annotations['hostile']}`,
  `\${pvc.annotations['empty']}`,
  `\${pvc.annotations['none']}`,
  `\${pvc.annotations['`,
  `\${}`,
  `\${`,
  `\${\${pv.name}}`,
  '$',
  '$$',
  '$pv',
  '$1',
  '}',
);
const value = fc.oneof(
  fc.constantFrom(
    'ok',
    'infra',
    'Not_A_Name',
    '..',
    '../../kube-system',
    '-',
    '.',
    'a/b',
    'a\0b',
    'a\nb',
    'x'.repeat(254),
  ),
  fc.array(fc.oneof(token, fc.constantFrom('a', '-', '.', 'B')), { maxLength: 4 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', '.', "'", '[') }),
);

const good = fc.constantFrom('ok', 'infra', `\${pvc.namespace}`, `a-\${pv.name}`);

/** As JSON gives it, where each key is an own one, `__proto__` too. */
function asRead(entries: readonly (readonly [string, string])[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, text] of entries) {
    Object.defineProperty(parameters, name, { value: text, enumerable: true, configurable: true, writable: true });
  }
  return parameters;
}

/** Whole pairs too: of keys drawn one by one, few find their partner. */
const parameters = fc
  .record({
    pairs: fc.array(
      fc.tuple(
        fc.nat({ max: secretKeys.length / 2 - 1 }),
        fc.oneof({ weight: 3, arbitrary: good }, value),
        fc.oneof({ weight: 3, arbitrary: good }, value),
      ),
      { maxLength: 3 },
    ),
    singles: fc.oneof(fc.constant([]), fc.array(fc.tuple(key, value), { maxLength: 3 })),
  })
  .map(({ pairs, singles }) => {
    const whole = pairs.flatMap(([index, name, namespace]): [string, string][] => [
      [secretKeys[2 * index] ?? '', name],
      [secretKeys[2 * index + 1] ?? '', namespace],
    ]);
    return asRead([...whole, ...singles]);
  });

function planFor(given: Record<string, string>, more: { mutable?: Record<string, string> } = {}): PlanResult {
  const attributesClass = more.mutable && {
    metadata: classOf().metadata,
    driverName: traits.driverName,
    parameters: more.mutable,
  };
  return planVolume({
    claim: claimOf(more.mutable ? { volumeAttributesClassName: 'gold' } : {}, { annotations: claimAnnotations }),
    storageClass: classOf({ parameters: given }),
    attributesClass,
    source: undefined,
    driver: traits,
    rules: { ...rules, hasExtraCreateMetadata: true },
    cluster: noTopology,
  });
}

const bytesOf = (plan: VolumePlan) =>
  Buffer.from(CreateVolumeRequest.encode({ ...plan.request, secrets: {} }).finish()).toString('hex');

const isReserved = (name: string) => name.startsWith(RESERVED_PREFIX);

/** A Secret's name and its namespace, in other words than those of the code. */
function isName(text: string, maxLength: number): boolean {
  const edges = text.split('.').flatMap((part) => [part.at(0) ?? '-', part.at(-1) ?? '-']);
  return text.length <= maxLength && /^[a-z0-9.-]+$/.test(text) && !edges.includes('-');
}

function checkPlan(plan: VolumePlan, given: Record<string, string>): void {
  const added = ['pvc/name', 'pvc/namespace', 'pv/name'].map((name) => RESERVED_PREFIX + name);
  const sent = Object.entries(plan.request.parameters).filter(([name]) => !added.includes(name));
  expect(sent).toEqual(Object.entries(given).filter(([name]) => !isReserved(name)));
  for (const ref of Object.values(plan.secretRefs)) {
    expect(isName(ref.name, 253)).toBe(true);
    expect(isName(ref.namespace, 63) && !ref.namespace.includes('.')).toBe(true);
  }
  const asked = Object.keys(given).filter((name) => secretKeys.includes(name) || deprecated.includes(name));
  expect(Object.keys(plan.secretRefs).length > 0).toBe(asked.length > 0);
}

describe('whatever a class says', () => {
  it('comes to a plan that sends what is the driver’s, or to a refusal that names the key', () => {
    const seen = { planned: 0, refused: 0, secrets: 0 };
    fc.assert(
      fc.property(parameters, (given) => {
        const result = planFor(given);
        if (result.kind === 'planned') {
          seen.planned += 1;
          seen.secrets += Object.keys(result.plan.secretRefs).length;
          checkPlan(result.plan, given);
        } else {
          seen.refused += 1;
          const { kind, reason } = { reason: '', ...result };
          expect(kind).toBe('refused');
          expect(Object.keys(given).some((name) => name !== '' && reason.includes(name))).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.planned, seen.refused, seen.secrets)).toBeGreaterThan(50);
  });

  it('is asked for again with the same bytes, by the next process too', () => {
    const text = fc.string({ unit: 'binary' });
    const mutable = fc.array(fc.tuple(text, text), { maxLength: 3 }).map(asRead);
    const harmless = fc.array(fc.tuple(fc.oneof(text, fc.constantFrom('10', '9', 'constructor')), text)).map(asRead);
    let planned = 0;
    fc.assert(
      fc.property(fc.oneof(parameters, harmless), mutable, (given, attributes) => {
        const result = planFor(given, { mutable: attributes });
        if (result.kind !== 'planned') return;
        planned += 1;
        const [read] = decodePlans(encodePlans([result.plan]));
        expect(read && bytesOf(read)).toBe(bytesOf(result.plan));
        expect(read?.secretRefs).toEqual(result.plan.secretRefs);
        expect(read?.fsType).toBe(result.plan.fsType);
      }),
      { numRuns: 1000 },
    );
    expect(planned).toBeGreaterThan(50);
  });

  it('of a VolumeAttributesClass, too, is refused by name where it cannot be sent', () => {
    expect(planFor({}, { mutable: asRead([['__proto__', 'x']]) })).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('VolumeAttributesClass gold: parameter __proto__'),
    });
  });
});

it('a provisioner among hostile classes provisions what can be, names what is wrong, and shows no secret', {
  timeout: 90_000,
}, async () => {
  const rig = await startRig();
  onTestFinished(() => rig.stop());
  const password = 'hunter2-hunter2';
  const data = { password: Buffer.from(password).toString('base64') };
  for (const [name, namespace] of [
    ['ok', 'infra'],
    ['blue', 'default'],
  ] as const) {
    await rig.cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await rig.cluster.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data });
  }
  // A driver that says in its first answer all that it was told.
  const isTold = new Set<string>();
  rig.driver.around(async ({ method, request }, proceed) => {
    if (method !== 'CreateVolume') return await proceed();
    const { name, secrets } = CreateVolumeRequest.fromPartial(request instanceof Object ? request : {});
    if (isTold.has(name)) return await proceed();
    isTold.add(name);
    throw rpcError('Unavailable', `not with ${Object.values(secrets).join()}`);
  });
  const provisionerSecret = (name: string, namespace: string) => ({
    [`${RESERVED_PREFIX}provisioner-secret-name`]: name,
    [`${RESERVED_PREFIX}provisioner-secret-namespace`]: namespace,
  });
  const classes: Record<string, string>[] = [
    {},
    provisionerSecret('ok', 'infra'),
    provisionerSecret(`\${pvc.annotations['team']}`, `\${pvc.namespace}`),
    provisionerSecret(`\${pvc.annotations['hostile']}`, 'infra'),
    { csiProvisionerSecretName: 'ok', csiProvisionerSecretNamespace: 'infra' },
    { [`${RESERVED_PREFIX}fsType`]: 'xfs' },
    // The same ones each time, so that a failure can be had again. An API server takes no empty key.
    ...fc.sample(
      parameters.filter((given) => !('' in given)),
      { numRuns: 40, seed: 20 },
    ),
  ];
  await rig.start();
  for (const [index, given] of classes.entries()) {
    const storageClass: Partial<StorageClass> = { provisioner: rig.driver.name, parameters: given };
    const metadata = { name: `class-${index}` };
    await rig.cluster.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata, ...storageClass });
    await rig.createClaim(`claim-${index}`, {
      spec: { storageClassName: `class-${index}` },
      annotations: claimAnnotations,
    });
  }
  const outcomes = { provisioned: 0, refused: 0 };
  for (const [index, given] of classes.entries()) {
    await vi.waitFor(
      async () => {
        const told = (await rig.eventsOf(`claim-${index}`)).join('\n');
        if (told.includes('ProvisioningSucceeded')) outcomes.provisioned += 1;
        else {
          expect(told).toMatch(/ProvisioningFailed/);
          const isNamed = Object.keys(given).some((name) => name !== '' && told.includes(name));
          expect(isNamed || /Secret ".*" does not exist: create it/.test(told), told).toBe(true);
          outcomes.refused += 1;
        }
      },
      { timeout: 20_000, interval: 20 },
    );
  }
  expect(outcomes.provisioned).toBeGreaterThanOrEqual(4);
  expect(outcomes.refused).toBeGreaterThan(10);
  const written = rig.cluster.requests
    .filter(({ userAgent }) => userAgent.startsWith('csi-provisioner'))
    .map(({ body }) => body);
  expect(JSON.stringify([written, rig.log.lines])).not.toContain(password);
  expect(JSON.stringify(written)).toContain('desc = not with ');
});
