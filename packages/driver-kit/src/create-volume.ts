import type { CreateVolumeRequest, CreateVolumeResponse } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { z } from 'zod';
import type { Access, Backend, CreateRequest, Segments, SourceId, StringMap, Volume } from './backend.ts';
import { checkRange, sizeWithin } from './capacity.ts';
import { checkAccesses } from './check-access.ts';
import { checkMapSize, checkName } from './check-text.ts';
import { ownParameters, parseParameters } from './class-parameters.ts';
import { type ContentSource, readSource, requireSource, sizeRulesOver, sourceKey, traitsOf } from './content-source.ts';
import { decideExisting } from './decide.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { checkMutableParameters } from './modify-volume.ts';
import { choosePlacement, fits } from './topology.ts';
import { volumeIdFor } from './volume-id.ts';
import { mustProceed, volumeMessage } from './volume-message.ts';

interface Asked<Parameters> {
  readonly id: string;
  readonly parameters: Parameters;
  readonly mutableParameters: StringMap;
  readonly accesses: readonly Access[];
  readonly source: SourceId | undefined;
}

export function createVolumeHandler<Schema extends z.ZodObject>(deps: {
  backend: Backend<Schema>;
  locks: VolumeLocks;
}) {
  const { backend, locks } = deps;

  return async (request: CreateVolumeRequest): Promise<CreateVolumeResponse> => {
    checkName('name', request.name);
    const accesses = checkAccesses(backend, request.volumeCapabilities);
    checkRange(request.capacityRange);
    checkMapSize('parameters', request.parameters);
    const parameters = parseParameters(backend.parameters, request.parameters);
    const mutableParameters = checkMutableParameters(backend, request.mutableParameters);
    const source = readSource(backend, request.volumeContentSource);
    // What no source can put right is refused before anything is looked up.
    backend.chooseFsType?.(parameters, accesses);
    const id = volumeIdFor(request.name);
    if (source?.kind === 'volume' && source.id === id) {
      throw rpcError('InvalidArgument', `volume ${id} cannot be made from itself`);
    }
    return locks.exclusive(
      [volumeKey(id)],
      () => create(request, { id, parameters, mutableParameters, accesses, source }),
      source === undefined ? [] : [sourceKey(source)],
    );
  };

  async function create(request: CreateVolumeRequest, asked: Asked<z.output<Schema>>): Promise<CreateVolumeResponse> {
    const { source: sourceId, accesses, parameters } = asked;
    const givenParameters = ownParameters(request.parameters);
    const existing = await backend.findVolume(asked.id);
    if (existing !== undefined) {
      const { capacityRange: range, accessibilityRequirements: topology } = request;
      // The source may be gone by now; what was made from it has its file system.
      const fsType = chooseFsType(parameters, accesses, sourceId === undefined ? undefined : existing.fsType);
      mustProceed(decideExisting(existing, { range, parameters: givenParameters, fsType, topology, source: sourceId }));
      return { volume: volumeMessage(existing) };
    }
    const source = sourceId === undefined ? undefined : await requireSource(backend, sourceId);
    const fsType = chooseFsType(parameters, accesses, source === undefined ? undefined : traitsOf(source).fsType);
    const rules = await backend.sizeRules?.({ fsType, kinds: accesses.map((access) => access.kind) });
    if (rules === undefined) throw rpcError('Unimplemented', 'volumes are not made here');
    const volume = await make(
      {
        ...asked,
        name: request.name,
        fsType,
        capacityBytes: sizeWithin(
          request.capacityRange,
          source === undefined ? rules : sizeRulesOver(rules, traitsOf(source).sizeBytes, request.capacityRange),
        ),
        givenParameters,
        topology: await place(request, source),
        secrets: request.secrets,
      },
      source,
    );
    return { volume: volumeMessage(volume) };
  }

  function chooseFsType(
    parameters: z.output<Schema>,
    accesses: readonly Access[],
    sourceFsType: string | undefined,
  ): string {
    const fsType = backend.chooseFsType?.(parameters, accesses, sourceFsType) ?? '';
    // A raw copy of a file system, and the reverse, is for its user to judge: what is on it is looked at before it is mounted.
    if (sourceFsType === undefined || sourceFsType === '' || fsType === '' || fsType === sourceFsType) return fsType;
    throw rpcError(
      'InvalidArgument',
      `the source holds ${sourceFsType}, and ${fsType} is asked for: a copy keeps the file system of its source`,
    );
  }

  async function make(request: CreateRequest<z.output<Schema>>, source: ContentSource | undefined): Promise<Volume> {
    const { createVolume, restoreSnapshot, cloneVolume } = backend;
    if (source?.kind === 'snapshot' && restoreSnapshot !== undefined) return restoreSnapshot(request, source.snapshot);
    if (source?.kind === 'volume' && cloneVolume !== undefined) return cloneVolume(request, source.volume);
    if (source === undefined && createVolume !== undefined) return createVolume(request);
    throw rpcError('Unimplemented', 'volumes are not made here');
  }

  async function place(request: CreateVolumeRequest, source: ContentSource | undefined): Promise<Segments[]> {
    if (backend.topology === undefined) return [];
    const everywhere = await backend.topology.placements();
    const near = source === undefined ? [] : traitsOf(source).topology;
    // A copy is made where its source is.
    const placements =
      near.length === 0 ? everywhere : everywhere.filter((placement) => near.some((term) => fits(placement, term)));
    return [choosePlacement(request.accessibilityRequirements, placements)];
  }
}
