import type { CrashScenario } from '@holdfast/sandbox/testing';
import { attacherScenarios } from './external-attacher.ts';
import { provisionerScenarios } from './external-provisioner.ts';
import { resizerScenarios } from './external-resizer.ts';

/** What is swept, by package. */
export const sweeps: Readonly<Record<string, readonly CrashScenario[]>> = {
  'external-provisioner': provisionerScenarios,
  'external-attacher': attacherScenarios,
  'external-resizer': resizerScenarios,
};
