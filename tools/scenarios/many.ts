import { pods } from '@holdfast/kube';
import type { Program } from '../rig/contract.ts';
import { seeBound, seePodGone, seeRunning } from './expectations.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

/** `data-1` to `data-<count>`. */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `data-${index + 1}`);
}

export async function addClaims(scene: Scene, className: string, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => scene.addClaim({ name, className })));
}

/** A pod of the same name for each claim. */
export async function addPods(scene: Scene, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => scene.addPod({ name, claim: name })));
}

/** @returns the ids of the volumes, sorted */
export async function seeAllBound(scene: Scene, names: readonly string[]): Promise<string[]> {
  const volumes = await Promise.all(names.map((name) => seeBound(scene, name)));
  return volumes.map(({ spec }) => spec?.csi?.volumeHandle ?? '').sort();
}

export async function seeAllRunning(scene: Scene, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => seeRunning(scene, name)));
}

export async function removePods(scene: Scene, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => scene.delete(pods, name)));
  await Promise.all(names.map((name) => seePodGone(scene, name)));
}

/** The first call of a kind that the driver has answered. */
export async function seeFirstCall(scene: Scene, method: string): Promise<void> {
  await scene.world.until({
    what: `the driver to answer ${method}`,
    look: () => {
      const methods = scene.calls().map((call) => call.method);
      return methods.includes(method) ? found(true) : notYet(methods.join(', ') || 'no calls');
    },
  });
}

/** A line of the program's log from a place on. */
export async function seeInLog(scene: Scene, program: Program, from: number, pattern: RegExp): Promise<void> {
  await scene.world.until({
    what: `${program.label} to log ${pattern}`,
    look: () => (pattern.test(program.log().slice(from)) ? found(true) : notYet(program.log().slice(from).slice(-500))),
  });
}
