import { spawn } from 'node:child_process';
import { referenceProgram } from '../reference/build.ts';
import { chartFolder, type ValueSet } from './value-sets.ts';

export const release = 'holdfast';
export const namespace = 'holdfast-system';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm or kubectl, as `npm run reference` built them. */
export function runTool(
  tool: 'helm' | 'kubectl',
  args: readonly string[],
  { signal, input = '' }: { readonly signal: AbortSignal; readonly input?: string },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(referenceProgram(tool), [...args], { stdio: ['pipe', 'pipe', 'pipe'], signal });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
    // A tool that ends early closes its end; its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** What `helm template` makes of the values. Rendering asks no cluster, so it is told which Kubernetes it is for. */
export function template(values: readonly string[], signal: AbortSignal): Promise<Ran> {
  const args = ['template', release, chartFolder, '--namespace', namespace, '--kube-version', '1.36.0', ...values];
  return runTool('helm', args, { signal });
}

export function lint({ values }: ValueSet, signal: AbortSignal): Promise<Ran> {
  return runTool('helm', ['lint', '--strict', '--quiet', chartFolder, ...values], { signal });
}
