import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { errorMessage } from '@holdfast/core';
import { CreateVolumeRequest, TopologyRequirement } from '@holdfast/csi-spec';
import * as z from 'zod';
import type { VolumePlan } from './plan.ts';
import { type SecretRefs, secretPurposes } from './secret-refs.ts';
import { rotate } from './topology-terms.ts';

/**
 * Plans as text, small enough for an annotation: the request as protobuf, so that a repetition is the same byte for byte,
 * and each list of places once, however many claims share it. No secret is in it, only the names of secrets.
 */

const VERSION = 1;
// Far beyond what fits in, and small enough to be read by mistake.
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

const secretRefSchema = z.object({ name: z.string(), namespace: z.string() });

const recordSchema = z.object({
  claim: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string().min(1),
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
    spec: z.object({
      accessModes: z.array(z.string()).optional(),
      volumeMode: z.string().optional(),
      storageClassName: z.string().optional(),
    }),
  }),
  request: z.string(),
  /** Index into `places`, and where this claim's preference starts in it. */
  place: z.number().int().nonnegative().optional(),
  start: z.number().int().nonnegative().optional(),
  secretRefs: z.record(z.string(), secretRefSchema),
  fsType: z.string(),
  isReadOnly: z.boolean(),
  isMigrated: z.boolean().optional(),
  selectedNode: z.string().optional(),
  attributesClass: z.string().optional(),
  source: z
    .object({
      kind: z.enum(['VolumeSnapshot', 'PersistentVolumeClaim']),
      name: z.string(),
      namespace: z.string(),
      uid: z.string(),
      isProtected: z.boolean(),
    })
    .optional(),
  storageClass: z.object({
    name: z.string(),
    uid: z.string(),
    reclaimPolicy: z.string(),
    mountOptions: z.array(z.string()),
  }),
});
type PlanRecord = z.infer<typeof recordSchema>;

const textSchema = z.object({ version: z.literal(VERSION), places: z.array(z.string()), plans: z.array(recordSchema) });

/** What a text says cannot be read: it is damaged, or of a newer version. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** One plan's share of a text. */
export interface PlanText {
  /** The record as JSON, without its place. */
  readonly json: string;
  /** The list of places it chooses from, which others may share. */
  readonly place: string | undefined;
}

export function planText(plan: VolumePlan): PlanText {
  const { place, ...start } = placeOf(plan.request.accessibilityRequirements);
  return { json: JSON.stringify({ ...recordOf(plan), ...start }), place };
}

/** What is beside the parts: a comma, the number of a place, and once for all of them the version and the brackets. */
const LINK_BYTES = 32;
const FRAME_BYTES = 64;

/** What a record, or a place, adds to the JSON at most. */
export function jsonBytes(part: string): number {
  return Buffer.byteLength(part) + LINK_BYTES;
}

/** How long the text of so many bytes can be at most: deflated they are themselves and a little, where nothing repeats. */
export function maxTextLength(bytes: number): number {
  return Math.ceil(((bytes + FRAME_BYTES) * 1.01 + FRAME_BYTES) / 3) * 4;
}

export function encodeTexts(texts: Iterable<PlanText>): string {
  const places = new Map<string, number>();
  const records: string[] = [];
  for (const { json, place } of texts) {
    if (place === undefined) {
      records.push(json);
      continue;
    }
    const index = places.get(place) ?? places.size;
    places.set(place, index);
    records.push(`{"place":${index},${json.slice(1)}`);
  }
  const json = `{"version":${VERSION},"places":${JSON.stringify([...places.keys()])},"plans":[${records.join()}]}`;
  // A tenth longer than with the default, in a third of its time.
  return deflateRawSync(json, { level: constants.Z_BEST_SPEED }).toString('base64');
}

export function encodePlans(plans: Iterable<VolumePlan>): string {
  return encodeTexts(Iterator.from(plans).map(planText));
}

/** @throws RecordError */
export function decodePlans(text: string): VolumePlan[] {
  try {
    const json = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8');
    const { places, plans } = textSchema.parse(JSON.parse(json));
    const requirements = places.map((hex) => TopologyRequirement.decode(Buffer.from(hex, 'hex')));
    return plans.map((record) => planOf(record, requirements));
  } catch (error) {
    throw new RecordError(errorMessage(error));
  }
}

function recordOf(plan: VolumePlan): PlanRecord {
  const { claim, request, storageClass } = plan;
  const { name, namespace = '', uid, resourceVersion, creationTimestamp } = claim.metadata;
  const { accessModes, volumeMode, storageClassName } = claim.spec ?? {};
  const bytes = CreateVolumeRequest.encode({ ...request, accessibilityRequirements: undefined, secrets: {} }).finish();
  return {
    claim: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      spec: {
        ...(accessModes === undefined ? {} : { accessModes }),
        ...(volumeMode === undefined ? {} : { volumeMode }),
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    },
    request: Buffer.from(bytes).toString('hex'),
    secretRefs: plan.secretRefs,
    fsType: plan.fsType,
    isReadOnly: plan.isReadOnly,
    ...(plan.isMigrated ? { isMigrated: true } : {}),
    ...(plan.selectedNode === undefined ? {} : { selectedNode: plan.selectedNode }),
    ...(plan.attributesClass === undefined ? {} : { attributesClass: plan.attributesClass }),
    ...(plan.source === undefined ? {} : { source: plan.source }),
    storageClass: { ...storageClass, mountOptions: [...storageClass.mountOptions] },
  };
}

/** The preferred places are the requisite ones from another start, so that all claims of a class share one list. */
function placeOf(requirement: TopologyRequirement | undefined): { place?: string; start?: number } {
  if (requirement === undefined) return {};
  const hex = (message: TopologyRequirement) =>
    Buffer.from(TopologyRequirement.encode(message).finish()).toString('hex');
  const { requisite, preferred } = requirement;
  const wanted = JSON.stringify(preferred);
  const [first] = preferred;
  const start =
    first === undefined ? -1 : requisite.findIndex((each) => JSON.stringify(each) === JSON.stringify(first));
  const isRotated = start >= 0 && JSON.stringify(rotate(requisite, start)) === wanted;
  if (isRotated) return { place: hex({ requisite, preferred: [] }), start };
  return { place: hex(requirement) };
}

function planOf(record: PlanRecord, requirements: readonly TopologyRequirement[]): VolumePlan {
  const { name, namespace, uid, resourceVersion, creationTimestamp, spec } = record.claim;
  const { secrets: _, ...request } = CreateVolumeRequest.decode(Buffer.from(record.request, 'hex'));
  const { accessModes, volumeMode, storageClassName } = spec;
  return {
    claim: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: {
        ...(accessModes === undefined ? {} : { accessModes }),
        ...(volumeMode === undefined ? {} : { volumeMode }),
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    },
    volumeName: request.name,
    request: { ...request, accessibilityRequirements: requirementOf(record, requirements) },
    requestedBytes: request.capacityRange?.requiredBytes ?? 0n,
    secretRefs: secretRefsOf(record),
    fsType: record.fsType,
    isReadOnly: record.isReadOnly,
    isMigrated: record.isMigrated ?? false,
    selectedNode: record.selectedNode,
    attributesClass: record.attributesClass,
    source: record.source,
    storageClass: record.storageClass,
  };
}

function requirementOf(
  { place, start }: PlanRecord,
  requirements: readonly TopologyRequirement[],
): TopologyRequirement | undefined {
  if (place === undefined) return undefined;
  const requirement = requirements[place];
  if (!requirement) throw new Error(`there is no place ${place}`);
  if (start === undefined) return requirement;
  return { requisite: requirement.requisite, preferred: rotate(requirement.requisite, start) };
}

function secretRefsOf({ secretRefs }: PlanRecord): SecretRefs {
  return Object.fromEntries(
    secretPurposes.flatMap((purpose) => {
      const ref = secretRefs[purpose];
      return ref === undefined ? [] : [[purpose, ref]];
    }),
  );
}
