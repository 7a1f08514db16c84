export { isOfPlugin, type Kept, keptForTranslation } from './kept.ts';
export { type InlineVolume, type InTreePlugin, MigrationError, type SourceField } from './plugin.ts';
export {
  classToCsi,
  handleInCsi,
  inlineVolumeToCsi,
  pluginOfDriver,
  pluginOfProvisioner,
  pluginOfSpec,
  plugins,
  repairVolumeHandle,
  volumeToCsi,
  volumeToInTree,
} from './translate.ts';
