import type { VolumeCapability_AccessMode_Mode } from '@holdfast/csi-spec';
import type { z } from 'zod';

export type AccessMode = Exclude<keyof typeof VolumeCapability_AccessMode_Mode, 'UNKNOWN'>;

/** How a volume is to be used: one VolumeCapability, checked. */
export type Access =
  | {
      readonly kind: 'mount';
      readonly mode: AccessMode;
      /** Empty: the driver's choice. */
      readonly fsType: string;
      readonly mountFlags: readonly string[];
      /** The group that is to own the files: a pod's fsGroup. */
      readonly mountGroup?: number;
    }
  | { readonly kind: 'block'; readonly mode: AccessMode };

export type Segments = Readonly<Record<string, string>>;
export type StringMap = Readonly<Record<string, string>>;

export interface Attachment {
  readonly nodeId: string;
  readonly isReadOnly: boolean;
}

export interface Volume {
  readonly id: string;
  /** The name the volume was asked for under: the key of CreateVolume's idempotency. */
  readonly name: string;
  readonly capacityBytes: bigint;
  /** Class parameters as they were given. */
  readonly parameters: StringMap;
  /** What stage and publish get back as volume context. */
  readonly context: StringMap;
  /** Empty where the volume's use does not fix a file system. */
  readonly fsType: string;
  /** Where it can be reached from; empty: from everywhere. */
  readonly topology: readonly Segments[];
  readonly attachments: readonly Attachment[];
  /** What its first content was copied from. */
  readonly source?: SourceId;
  /** As it was made with and last modified to. */
  readonly mutableParameters?: StringMap;
}

/** Names a volume content source, whether or not it is still there. */
export interface SourceId {
  readonly kind: 'snapshot' | 'volume';
  readonly id: string;
}

export interface Snapshot {
  readonly id: string;
  /** The name it was asked for under: the key of CreateSnapshot's idempotency. */
  readonly name: string;
  readonly sourceVolumeId: string;
  /** What a volume made from it must have at least. */
  readonly sizeBytes: bigint;
  /** Milliseconds since 1970 of the instant that it shows. */
  readonly createdMs: number;
  /** False while it is still being copied somewhere: the caller asks again. */
  readonly isReady: boolean;
  /** That of the volume it was cut from. */
  readonly fsType: string;
  readonly topology: readonly Segments[];
  /** Empty for one that was not cut as part of a group. */
  readonly groupId: string;
}

export interface CreateSnapshotRequest {
  /** Made from the name, safe as a file name, the same each time. */
  readonly id: string;
  readonly name: string;
  readonly source: Volume;
  readonly parameters: StringMap;
  readonly secrets: StringMap;
}

/** A part of a volume. */
export interface BlockRange {
  readonly offsetBytes: bigint;
  readonly sizeBytes: bigint;
}

export interface GroupSnapshot {
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly isReady: boolean;
  readonly snapshots: readonly Snapshot[];
}

export interface CreateGroupSnapshotRequest {
  readonly id: string;
  readonly name: string;
  /** Each with the id and name that its snapshot is to get. */
  readonly members: readonly { readonly id: string; readonly name: string; readonly source: Volume }[];
  readonly parameters: StringMap;
  readonly secrets: StringMap;
}

/** Something that is wrong with a volume or its storage. Nothing wrong is an empty list. */
export interface HealthProblem {
  readonly kind: 'DEGRADED' | 'INACCESSIBLE' | 'DATA_LOSS';
  /** One word in CamelCase, for programs. */
  readonly reason: string;
  readonly message: string;
}

/** Something that is wrong with the storage behind all volumes, as one node sees it. */
export interface StorageProblem {
  readonly kind: 'STORAGE_DEGRADED' | 'STORAGE_UNREACHABLE';
  readonly reason: string;
  readonly message: string;
}

export interface CreateRequest<Parameters> {
  /** Made from the name, safe as a file name, the same each time. */
  readonly id: string;
  readonly name: string;
  readonly capacityBytes: bigint;
  readonly parameters: Parameters;
  readonly givenParameters: StringMap;
  /** From a VolumeAttributesClass; checked against `mutableParameters`. */
  readonly mutableParameters: StringMap;
  readonly fsType: string;
  readonly accesses: readonly Access[];
  readonly topology: readonly Segments[];
  readonly secrets: StringMap;
}

export interface StageRequest {
  readonly volume: Volume;
  readonly stagingPath: string;
  readonly access: Access;
  readonly publishContext: StringMap;
  readonly secrets: StringMap;
}

export interface PublishRequest {
  readonly volume: Volume;
  readonly targetPath: string;
  /** Empty when the backend does not stage. */
  readonly stagingPath: string;
  readonly access: Access;
  readonly isReadOnly: boolean;
  readonly publishContext: StringMap;
  readonly context: StringMap;
  readonly secrets: StringMap;
}

/** Of a volume that a pod brings with it. Its id is the caller's, and its name too. */
export interface InlineRequest<Parameters> extends CreateRequest<Parameters> {
  readonly targetPath: string;
  readonly access: Access;
  readonly isReadOnly: boolean;
}

/**
 * Volumes that live as long as their pod: made when it is published, gone with all that is in it when it is unpublished. Attributes are
 * the class parameters and `size`, and come from whoever may create pods: the same checks, and no trust.
 */
export interface InlineVolumes<Parameters> {
  find(id: string): Promise<Volume | undefined>;
  publications(volume: Volume, targetPath: string): Promise<readonly Publication[]>;
  /** Makes it where it is not there yet, also after a try that was cut short, and shows it. */
  publish(request: InlineRequest<Parameters>): Promise<void>;
  /** @returns false where no inline volume has that id */
  unpublish(id: string, targetPath: string): Promise<boolean>;
  stats?(volume: Volume, path: string): Promise<VolumeStats | undefined>;
}

/** A place where a volume can be seen now, as the kernel tells it. */
export interface Publication {
  readonly targetPath: string;
  readonly isReadOnly: boolean;
  readonly kind: Access['kind'];
}

export interface Figures {
  readonly total: bigint;
  readonly used: bigint;
  readonly available: bigint;
}

export interface VolumeStats {
  readonly bytes: Figures;
  readonly inodes?: Figures;
}

export interface SizeRules {
  /** For a request without a size. */
  readonly defaultBytes: bigint;
  readonly minimumBytes: bigint;
  readonly maximumBytes: bigint;
  /** Sizes are whole multiples of it. */
  readonly stepBytes: bigint;
}

export interface NodeLoad {
  /** 0: no limit. */
  readonly maxVolumes: number;
  readonly attachedVolumes: number;
}

/**
 * A storage system as the kit sees it. Required is what every volume needs: to be found, published and unpublished. Each
 * operation left out is not advertised and answers UNIMPLEMENTED.
 *
 * The kit has checked arguments, parsed parameters, looked volumes up and taken their locks before it calls. Everything that
 * changes something must give the same result when it is repeated, also after a crash in its middle. An RpcError keeps its code;
 * any other error becomes INTERNAL.
 */
export interface Backend<Schema extends z.ZodObject = z.ZodObject> {
  /** Class parameters; a key that is not here is refused by name. */
  readonly parameters: Schema;
  /** Parameters of a VolumeAttributesClass. Together with modifyVolume. */
  readonly mutableParameters?: z.ZodObject;
  /** Parameters of snapshot classes. Not given: there are none. */
  readonly snapshotParameters?: z.ZodObject;
  readonly accessModes: readonly AccessMode[];
  readonly accessKinds: readonly Access['kind'][];
  /** File systems that a capability may name. Not given: whatever it names is ignored. */
  readonly fsTypes?: readonly string[];
  readonly hasMountFlags: boolean;

  /** Before the first call: load, reconcile with the kernel, remove what a crash left half made. */
  prepare?(): Promise<void>;
  /** Throws when the backend cannot work, for Probe. */
  checkHealth?(): Promise<void>;
  findVolume(id: string): Promise<Volume | undefined>;
  /**
   * For storage that several controllers reach, of which one works at a time: resolves when it is this one's turn, and what it
   * returns ends the turn. Around every controller call but those for capabilities.
   */
  controllerTurn?(): Promise<() => void>;

  sizeRules?(request: { readonly fsType: string; readonly kinds: readonly Access['kind'][] }): Promise<SizeRules>;
  /**
   * The file system a new volume gets, from its parameters, its capabilities and, where those name none, its source. Throws
   * InvalidArgument when they disagree.
   */
  chooseFsType?(parameters: z.output<Schema>, accesses: readonly Access[], sourceFsType?: string): string;
  createVolume?(request: CreateRequest<z.output<Schema>>): Promise<Volume>;
  /** A volume of at least the snapshot's size, with its content. The file system fills the rest when it is first staged. */
  restoreSnapshot?(request: CreateRequest<z.output<Schema>>, snapshot: Snapshot): Promise<Volume>;
  /** As restoreSnapshot, from a volume, which may be in use. */
  cloneVolume?(request: CreateRequest<z.output<Schema>>, source: Volume): Promise<Volume>;
  /** Absent is success. In use is FailedPrecondition. */
  deleteVolume?(id: string): Promise<void>;
  /** In the order of ids. */
  listVolumes?(page: { readonly after: string; readonly limit: number }): Promise<readonly Volume[]>;
  availableBytes?(): Promise<bigint>;
  expandVolume?(
    volume: Volume,
    capacityBytes: bigint,
  ): Promise<{ capacityBytes: bigint; isNodeExpansionRequired: boolean }>;

  /** Of the keys that are not given, nothing changes. All or nothing. */
  modifyVolume?(volume: Volume, mutableParameters: StringMap): Promise<void>;

  /** Together with deleteSnapshot and findSnapshot. Returns when the instant is cut. */
  createSnapshot?(request: CreateSnapshotRequest): Promise<Snapshot>;
  /** Absent is success. */
  deleteSnapshot?(id: string): Promise<void>;
  findSnapshot?(id: string): Promise<Snapshot | undefined>;
  /** In the order of ids; with a source, only of that volume. */
  listSnapshots?(page: {
    readonly after: string;
    readonly limit: number;
    readonly sourceVolumeId?: string;
  }): Promise<readonly Snapshot[]>;
  /** Together with deleteGroupSnapshot and findGroupSnapshot. All members show one instant; on failure none is left. */
  createGroupSnapshot?(request: CreateGroupSnapshotRequest): Promise<GroupSnapshot>;
  /** With all its members. Absent is success. */
  deleteGroupSnapshot?(id: string): Promise<void>;
  findGroupSnapshot?(id: string): Promise<GroupSnapshot | undefined>;

  /**
   * The service SnapshotMetadata: which parts of a snapshot hold data, and which differ from an earlier snapshot of the same volume. In
   * ascending order, without overlaps; what ends at or before `fromBytes` may be left out. More than there is may be named, never less.
   */
  readonly snapshotBlocks?: {
    allocated(snapshot: Snapshot, fromBytes: bigint, signal: AbortSignal): AsyncIterable<BlockRange>;
    changed(base: Snapshot, target: Snapshot, fromBytes: bigint, signal: AbortSignal): AsyncIterable<BlockRange>;
  };

  /** As the controller sees the volume. */
  volumeHealth?(volume: Volume): Promise<readonly HealthProblem[]>;
  /** As this node sees it. */
  volumeHealthOnNode?(volume: Volume): Promise<readonly HealthProblem[]>;
  storageHealth?(): Promise<readonly StorageProblem[]>;

  /**
   * Together with detachVolume and findNode. Returns the publish context; the same for the same arguments. Several volumes are attached
   * to one node side by side; while they are, the kit keeps their places in the node's limit.
   */
  attachVolume?(volume: Volume, attachment: Attachment, access: Access): Promise<StringMap>;
  /** Without a node id: from all nodes. Not attached, or no such volume, is success. */
  detachVolume?(volumeId: string, nodeId: string | undefined): Promise<void>;
  findNode?(nodeId: string): Promise<NodeLoad | undefined>;

  stageVolume?(request: StageRequest): Promise<void>;
  unstageVolume?(volumeId: string, stagingPath: string): Promise<void>;
  /** Targets the volume is published at on this node. The one at `targetPath` is returned under that spelling. */
  publications(volume: Volume, targetPath: string): Promise<readonly Publication[]>;
  publishVolume(request: PublishRequest): Promise<void>;
  unpublishVolume(volumeId: string, targetPath: string): Promise<void>;
  /**
   * VOLUME_MOUNT_GROUP: gives the volume's files, seen at a path, to a group. Called whenever a writable volume is published with one,
   * also when it is published already; kubelet leaves its own change of owner out then.
   */
  applyMountGroup?(volumeId: string, path: string, gid: number): Promise<void>;
  /** For CSIDriver objects with the mode Ephemeral. */
  readonly inline?: InlineVolumes<z.output<Schema>>;
  /** Undefined when the volume is not at that path. */
  volumeStats?(volume: Volume, path: string): Promise<VolumeStats | undefined>;
  /** Undefined when the volume is not at that path. Returns the size after it. */
  expandOnNode?(volume: Volume, path: string): Promise<bigint | undefined>;

  readonly topology?: {
    /** Of the node this process serves. */
    readonly own: Segments;
    /** Everywhere a volume can be made. */
    placements(): Promise<readonly Segments[]>;
  };
  /** Reported by NodeGetInfo. 0 or absent: no limit. */
  readonly maxVolumesPerNode?: number;
}
