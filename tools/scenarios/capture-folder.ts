// Where captures go. Without HOLDFAST_CAPTURE_DIR nothing is written.
import { join } from 'node:path';

export const captureVariable = 'HOLDFAST_CAPTURE_DIR';
/** Beside the captures: vitest's report, which says which scenarios were skipped and which failed. */
export const reportFileName = 'report.json';

export function captureFolder(): string | undefined {
  return process.env[captureVariable] || undefined;
}

/** Of one round of several. */
export function roundFolder(folder: string, makersText: string): string {
  return join(folder, makersText === '' ? 'ours' : makersText);
}
