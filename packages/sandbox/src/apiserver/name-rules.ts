const labelShape = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomainShape = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedShape = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValueShape = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Each rule answers what is wrong, or `undefined`. The words are apimachinery's, so that people can search for them. */
export type NameRule = (name: string) => string | undefined;

export const dnsSubdomain: NameRule = (name) => {
  if (name.length > 253) return 'must be no more than 253 characters';
  if (subdomainShape.test(name)) return undefined;
  return `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
};

export const dnsLabel: NameRule = (name) => {
  if (name.length > 63) return 'must be no more than 63 characters';
  if (name.includes('.')) return 'must not contain dots';
  if (labelShape.test(name)) return undefined;
  return `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
};

/** What can stand between two slashes of a URL: names of roles, which may hold colons. */
export const pathSegment: NameRule = (name) => {
  if (name === '.' || name === '..') return `may not be '${name}'`;
  const wrong = ['/', '%'].filter((text) => name.includes(text));
  return wrong.length === 0 ? undefined : wrong.map((text) => `may not contain '${text}'`).join(', ');
};

const qualifiedForm =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** `prefix/name` or `name`: keys of labels and annotations, and finalizers. */
export const qualifiedName: NameRule = (name) => {
  const parts = name.split('/');
  if (parts.length > 2) {
    return `a valid label key ${qualifiedForm} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const [prefix, last] = parts.length === 2 ? [parts[0], parts[1] ?? ''] : [undefined, parts[0] ?? ''];
  if (prefix !== undefined) {
    if (prefix === '') return 'prefix part must be non-empty';
    const wrong = dnsSubdomain(prefix);
    if (wrong !== undefined) return `prefix part ${wrong}`;
  }
  if (last === '') return 'name part must be non-empty';
  if (last.length > 63) return 'name part must be no more than 63 bytes';
  if (qualifiedShape.test(last)) return undefined;
  return `name part ${qualifiedForm}`;
};

export const labelValue: NameRule = (value) => {
  if (value.length > 63) return 'must be no more than 63 bytes';
  if (labelValueShape.test(value)) return undefined;
  return `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
};

const dataKeyShape = /^[-._a-zA-Z0-9]+$/;

/** A key in the data of a Secret or a ConfigMap. */
export const dataKey: NameRule = (key) => {
  if (key.length > 253) return 'must be no more than 253 characters';
  if (!dataKeyShape.test(key)) {
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
  }
  if (key === '.' || key === '..') return `must not be '${key}'`;
  return key.startsWith('..') ? "must not start with '..'" : undefined;
};

// No vowels and no look-alikes, so that a generated name spells nothing: apimachinery's alphabet.
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** `generateName` plus five random characters, cut to 63 as apiserver's name generator does. */
export function generateName(prefix: string, random: () => number = Math.random): string {
  let suffix = '';
  while (suffix.length < 5) suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)] ?? 'x';
  return prefix.slice(0, 58) + suffix;
}
