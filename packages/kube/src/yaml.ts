import { parseDocument } from 'yaml';

/** Imported on demand: in a pod there is no kubeconfig to read. */
export function readYaml(
  text: string,
): { kind: 'value'; value: unknown } | { kind: 'error'; line: number | undefined } {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { kind: 'error', line: error.linePos?.[0].line };
  return { kind: 'value', value: document.toJS() };
}
