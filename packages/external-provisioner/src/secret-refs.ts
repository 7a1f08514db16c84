import { RESERVED_PREFIX } from './names.ts';
import { RefusalError } from './refusal.ts';
import { expandTemplate, isDnsLabel, isDnsSubdomain } from './secret-template.ts';

export interface SecretRef {
  readonly name: string;
  readonly namespace: string;
}

export const secretPurposes = [
  'provisioner',
  'controller-publish',
  'node-stage',
  'node-publish',
  'controller-expand',
  'node-expand',
  'controller-modify',
] as const;

export type SecretPurpose = (typeof secretPurposes)[number];

/** The references a class gives, one per purpose. A purpose without an entry needs no secret. */
export type SecretRefs = { readonly [P in SecretPurpose]?: SecretRef };

interface KeyPair {
  readonly name: string;
  readonly namespace: string;
}

const defaultKeys: KeyPair = { name: `${RESERVED_PREFIX}secret-name`, namespace: `${RESERVED_PREFIX}secret-namespace` };

const deprecatedKeys: { readonly [P in SecretPurpose]?: KeyPair } = {
  provisioner: { name: 'csiProvisionerSecretName', namespace: 'csiProvisionerSecretNamespace' },
  'controller-publish': { name: 'csiControllerPublishSecretName', namespace: 'csiControllerPublishSecretNamespace' },
  'node-stage': { name: 'csiNodeStageSecretName', namespace: 'csiNodeStageSecretNamespace' },
  'node-publish': { name: 'csiNodePublishSecretName', namespace: 'csiNodePublishSecretNamespace' },
};

function keysOf(purpose: SecretPurpose): KeyPair {
  return {
    name: `${RESERVED_PREFIX}${purpose}-secret-name`,
    namespace: `${RESERVED_PREFIX}${purpose}-secret-namespace`,
  };
}

/** Reserved class parameters that name secrets; none of them reaches the driver. */
export const secretParameterKeys: readonly string[] = [defaultKeys, ...secretPurposes.map(keysOf)].flatMap((keys) => [
  keys.name,
  keys.namespace,
]);

export interface SecretTemplateValues {
  readonly volumeName: string;
  readonly claimName: string;
  readonly claimNamespace: string;
  readonly claimAnnotations: Readonly<Record<string, string>>;
}

/**
 * Resolves the class's seven secret references for one claim; a half-given, doubly given or malformed one is refused.
 */
export function resolveSecretRefs(
  parameters: Readonly<Record<string, string>>,
  values: SecretTemplateValues,
): SecretRefs {
  const refs: Partial<Record<SecretPurpose, SecretRef>> = {};
  for (const purpose of secretPurposes) {
    const ref = resolveSecretRef(purpose, parameters, values);
    if (ref) refs[purpose] = ref;
  }
  return refs;
}

/** One purpose's reference; see {@link resolveSecretRefs}. */
export function resolveSecretRef(
  purpose: SecretPurpose,
  parameters: Readonly<Record<string, string>>,
  values: SecretTemplateValues,
): SecretRef | undefined {
  const specific = pickKeys(purpose, parameters);
  const keys = specific ?? (givenOf(defaultKeys, parameters) === undefined ? undefined : defaultKeys);
  if (!keys) return undefined;

  const nameTemplate = parameters[keys.name];
  const namespaceTemplate = parameters[keys.namespace];
  if (!nameTemplate || !namespaceTemplate) {
    throw new RefusalError(`class parameters ${keys.name} and ${keys.namespace} belong together: set both, or neither`);
  }

  const namespaceTokens = new Map([
    ['pv.name', values.volumeName],
    ['pvc.namespace', values.claimNamespace],
  ]);
  const nameTokens = new Map([...namespaceTokens, ['pvc.name', values.claimName]]);
  for (const [key, value] of Object.entries(values.claimAnnotations))
    nameTokens.set(`pvc.annotations['${key}']`, value);

  const namespace = expandTemplate(namespaceTemplate, namespaceTokens, keys.namespace);
  const name = expandTemplate(nameTemplate, nameTokens, keys.name);
  if (!isDnsLabel(namespace))
    throw malformed(keys.namespace, namespaceTemplate, namespace, 'a namespace (DNS-1123 label)');
  if (!isDnsSubdomain(name)) throw malformed(keys.name, nameTemplate, name, "a Secret's name (DNS-1123 subdomain)");
  return { name, namespace };
}

function pickKeys(purpose: SecretPurpose, parameters: Readonly<Record<string, string>>): KeyPair | undefined {
  const current = keysOf(purpose);
  const deprecated = deprecatedKeys[purpose];
  const given = givenOf(current, parameters);
  const old = deprecated && givenOf(deprecated, parameters);
  if (old === undefined) return given === undefined ? undefined : current;
  if (given !== undefined) {
    throw new RefusalError(
      `class parameters ${given} and ${old} both name the ${purpose} secret: keep ${current.name} and ${current.namespace}`,
    );
  }
  return deprecated;
}

/** The key of a pair that a class has, which makes it ask for the pair. */
function givenOf(keys: KeyPair, parameters: Readonly<Record<string, string>>): string | undefined {
  return [keys.name, keys.namespace].find((key) => Object.hasOwn(parameters, key));
}

function malformed(parameter: string, template: string, value: string, what: string): RefusalError {
  return new RefusalError(
    `class parameter ${parameter} is ${JSON.stringify(template)}, which gives ${JSON.stringify(value)}: not ${what}`,
  );
}
