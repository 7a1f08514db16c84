import { RefusalError } from './refusal.ts';

/**
 * Expands `${token}` and `$token` as Go's `os.Expand` does, which is what upstream's class parameters are written for.
 * A token that is not in `values`, or an unclosed `${`, refuses the whole template: a half-filled name is somebody
 * else's secret.
 */
export function expandTemplate(template: string, values: ReadonlyMap<string, string>, parameter: string): string {
  const unknown: string[] = [];
  const expanded = template.replaceAll(
    /\$(?:\{([^}]*)(\}?)|([*#$@!?0-9-])|([A-Za-z_][A-Za-z0-9_]*))/g,
    (
      match,
      braced: string | undefined,
      close: string | undefined,
      special: string | undefined,
      word: string | undefined,
    ) => {
      const token = braced ?? special ?? word ?? '';
      const value = close === '' ? undefined : values.get(token);
      if (value === undefined) unknown.push(match);
      return value ?? '';
    },
  );
  if (unknown.length > 0) {
    throw new RefusalError(
      `class parameter ${parameter} is ${JSON.stringify(template)}: nothing is known to put in for ${unknown.join(', ')}; use ${knownTokens(values)}`,
    );
  }
  return expanded;
}

function knownTokens(values: ReadonlyMap<string, string>): string {
  return [...values.keys()].map((token) => `\${${token}}`).join(', ');
}

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** DNS-1123 label: what a namespace may be called. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/** DNS-1123 subdomain: what a Secret may be called. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => LABEL.test(part));
}
