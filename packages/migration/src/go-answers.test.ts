import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Draft, PersistentVolume, StorageClass } from '@holdfast/kube';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  classToCsi,
  type InlineVolume,
  type InTreePlugin,
  inlineVolumeToCsi,
  MigrationError,
  pluginOfDriver,
  pluginOfSpec,
  plugins,
  repairVolumeHandle,
  volumeToCsi,
  volumeToInTree,
} from './index.ts';

/*
 * What k8s.io/csi-translation-lib answers (`npm run test:migration` compares and renews): with every answer of Go, refusals
 * included, ours must be one.
 */

const lineSchema = z.object({
  do: z.enum(['volumeToCsi', 'volumeToInTree', 'classToCsi', 'inlineVolumeToCsi', 'repairVolumeHandle']),
  given: z.unknown(),
  result: z.unknown().optional(),
  refused: z.boolean().optional(),
  panics: z.boolean().optional(),
});
type Line = z.infer<typeof lineSchema>;

const answers = gunzipSync(readFileSync(join(import.meta.dirname, 'testing', 'go-answers.jsonl.gz')))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => lineSchema.parse(JSON.parse(line)));

const served = { uid: '', resourceVersion: '', creationTimestamp: '' };
const volumeSchema = z.object({
  metadata: z.object({ name: z.string().default('') }).loose(),
  spec: z.custom<NonNullable<PersistentVolume['spec']>>(),
});
const classSchema = z.object({
  plugin: z.string(),
  parameters: z.record(z.string(), z.string()).optional(),
  allowedTopologies: z.custom<NonNullable<StorageClass['allowedTopologies']>>().optional(),
});
const inlineSchema = z.object({ volume: z.custom<InlineVolume>(), namespace: z.string() });
const repairSchema = z.object({ driver: z.string(), handle: z.string(), node: z.string() });

function known(plugin: InTreePlugin | undefined): InTreePlugin {
  if (plugin === undefined) throw new MigrationError('of no plug-in that migrates');
  return plugin;
}

/** What Go prints of a volume. */
function shown({ metadata, spec }: Draft<PersistentVolume>): unknown {
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _time, name, ...rest } = metadata;
  return { metadata: { ...rest, name: name || undefined }, spec };
}

function ours({ do: what, given }: Line): unknown {
  switch (what) {
    case 'volumeToCsi': {
      const { metadata, spec } = volumeSchema.parse(given);
      return shown(volumeToCsi(known(pluginOfSpec(spec)), { metadata: { ...served, ...metadata }, spec }));
    }
    case 'volumeToInTree': {
      const { metadata, spec } = volumeSchema.parse(given);
      return shown(volumeToInTree(known(pluginOfDriver(spec.csi?.driver ?? '')), { metadata, spec }));
    }
    case 'classToCsi': {
      const { plugin: name, ...parts } = classSchema.parse(given);
      const plugin = known(plugins.find(({ inTreeName }) => inTreeName === name));
      const {
        metadata: _,
        provisioner: _name,
        ...rest
      } = classToCsi(plugin, {
        metadata: { name: 'class', ...served },
        provisioner: name,
        ...(parts.parameters === undefined ? {} : { parameters: parts.parameters }),
        ...(parts.allowedTopologies === undefined ? {} : { allowedTopologies: parts.allowedTopologies }),
      });
      // Go prints no empty map.
      return Object.keys(rest.parameters ?? {}).length === 0 ? { ...rest, parameters: undefined } : rest;
    }
    case 'inlineVolumeToCsi': {
      const { volume, namespace } = inlineSchema.parse(given);
      return shown(inlineVolumeToCsi(volume, namespace));
    }
    case 'repairVolumeHandle': {
      const { driver, handle, node } = repairSchema.parse(given);
      return repairVolumeHandle(known(pluginOfDriver(driver)), handle, node);
    }
    default:
      return what satisfies never;
  }
}

function outcome(line: Line): unknown {
  try {
    return { result: ours(line) };
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return { refused: true };
  }
}

describe.each(lineSchema.shape.do.options)('%s', (what) => {
  const asked = answers.filter((line) => line.do === what && !line.panics);

  test('answers as Go does', () => {
    expect(asked.length).toBeGreaterThan(40);
    for (const line of asked) {
      const theirs = line.refused ? { refused: true } : { result: line.result };
      expect(outcome(line), JSON.stringify(line.given)).toEqual(theirs);
    }
  });
});

test('every plug-in is asked about, and refused now and then', () => {
  const told = answers.map((line) => JSON.stringify(line));
  for (const { inTreeName, driverName } of plugins) {
    expect(told.filter((line) => line.includes(`"${inTreeName}"`)).length, inTreeName).toBeGreaterThanOrEqual(30);
    expect(told.filter((line) => line.includes(`"${driverName}"`)).length, driverName).toBeGreaterThanOrEqual(50);
  }
  expect(answers.filter(({ refused }) => refused).length).toBeGreaterThan(100);
});

test('an inline vSphere volume with a storage policy, on which Go panics, keeps its policy', () => {
  const panicking = answers.filter(({ panics }) => panics);
  expect(panicking.length).toBeGreaterThan(0);
  for (const line of panicking) {
    const made = z.object({ spec: z.object({ csi: z.record(z.string(), z.unknown()) }) }).parse(ours(line));
    expect(made.spec.csi).toMatchObject({ volumeAttributes: { storagepolicyname: 'gold' } });
  }
});
