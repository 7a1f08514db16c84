import type { Backend } from '../programs.ts';
import { checkNothingIsLeft, deleteEverything } from './delete.ts';
import { grow } from './grow.ts';
import { mount } from './mount.ts';
import { remakePod, seePodWrite } from './pod.ts';
import { provisionAtOnce, provisionForFirstConsumer } from './provision.ts';
import { createScene, type Stage } from './scene.ts';
import { startPrograms } from './start-programs.ts';

const titles: Record<Backend, string> = {
  disk: 'disk: an ext4 file system on a loop device, made where its first consumer runs, attached to that node',
  dir: 'dir: a directory, mounted where it lies',
};

/** One backend's act: a claim from Pending to nothing left. */
export async function actOn(stage: Stage): Promise<void> {
  stage.report.title(titles[stage.backend]);
  const scene = createScene(stage);
  await startPrograms(scene);
  await (stage.backend === 'disk' ? provisionForFirstConsumer(scene) : provisionAtOnce(scene));
  await mount(scene);
  const checksum = await seePodWrite(scene);
  await remakePod(scene, checksum);
  await grow(scene);
  await deleteEverything(scene);
  await checkNothingIsLeft(scene);
}
