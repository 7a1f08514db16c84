// Where ours differ from the Go programs on purpose. The reasons are in docs/differences.md, in the row that an entry names.
import type { Difference } from './observe/differences.ts';

export interface Deliberate {
  /** First cell of the row in docs/differences.md. */
  readonly row: string;
  readonly place: RegExp;
  /** What ours has there; `-` stands for nothing. Left out: anything. */
  readonly ours?: RegExp;
  readonly theirs?: RegExp;
  /** Ours is the smaller number; nothing counts as 0. */
  readonly isFewer?: true;
  /** It depends on which of two things upstream sees first: a run without it is no proof that it is gone. */
  readonly isSometimes?: true;
}

export const deliberate: readonly Deliberate[] = [
  { row: 'client-side throttle', place: /^flags\/[^/]+\/--kube-api-qps$/, ours: /^default 0$/, theirs: /^default 5$/ },
  {
    row: 'feature gates of the API server library',
    place: /^flags\/[^/]+\/gate (?!AnnotateFsResize|ReleaseLeader|CrossNamespace|VolumeAttributes|Recover|Mutable)/,
    ours: /^absent$/,
    theirs: /^(ALPHA, (true|false)|BETA, (true|false))$/,
  },
  {
    row: 'finalizers of a new PersistentVolume',
    place: /\/volumes\/[^/]+\/metadata\/finalizers\/external-attacher\/([a-z]+-csi-holdfast|cinder-csi-openstack-org)$/,
    ours: /^true$/,
    theirs: /^-$/,
  },
  {
    row: 'finalizer of a volume that cannot be attached yet',
    place:
      /node that lacks the driver\/[^/]+\/volumes\/[^/]+\/metadata\/finalizers\/external-attacher\/swap-csi-holdfast$/,
    ours: /^-$/,
    theirs: /^true$/,
  },
  {
    row: 'events about progress',
    place:
      /\/events\/Normal Provisioning on PersistentVolumeClaim [^/]+\/(count|messages\/External provisioner is provisioning)/,
    ours: /^-$/,
  },
  {
    row: 'events about progress',
    place:
      /\/events\/Normal Resizing on PersistentVolumeClaim data\/(count|messages\/External resizer is resizing volume)/,
    ours: /^-$/,
  },
  {
    row: 'events about progress',
    place:
      /\/events\/Normal VolumeModify on PersistentVolumeClaim data\/(count|messages\/external resizer is modifying volume)/,
    ours: /^-$/,
  },
  // Of scenarios it is compared whether there is one.
  {
    row: 'events about progress',
    place: / scenario ".*\/events\/Normal (Provisioning|Resizing|VolumeModify) on PersistentVolumeClaim [^/]+\/[^/]+$/,
    ours: /^-$/,
  },
  {
    row: 'deletion while still attached',
    place: / scenario ".*\/events\/Warning VolumeFailedDelete on PersistentVolume <volume of [^/]+>$/,
    ours: /^-$/,
  },
  {
    row: 'volume whose claim is deleted while the provisioner is down',
    place: /\/leases\/[^/]+\/metadata\/annotations\/csi\.holdfast\/(creating|noted-at)$/,
    theirs: /^-$/,
  },
  // Without an election too the lease is there, for the notes.
  {
    row: 'volume whose claim is deleted while the provisioner is down',
    place:
      /^provisioner in the scenario ".*\/leases(\/[^/]+\/(metadata\/name|metadata\/namespace|spec(\/holderIdentity)?))?$/,
    theirs: /^(-|\{\})$/,
  },
  {
    row: 'clean stop (SIGTERM)',
    place: / scenario ".*\/leases\/[^/]+\/spec\/(holderIdentity|leaseDurationSeconds)$/,
    ours: /^(""|1)$/,
  },
  // Which calls are under way when the other side goes is a matter of time.
  {
    row: 'lost driver socket',
    place: / scenario "driver restart".*\/events\/Warning \w+ on [^/]+(\/[^/]+)?$/,
    ours: /^-$/,
    isSometimes: true,
  },
  {
    row: 'lost driver socket',
    place: / scenario "driver restart".*\/attachments\/[^/]+\/status\/attachError(\/\w+)?$/,
    ours: /^-$/,
    isSometimes: true,
  },
  // Stored while the provisioner ends, when it has no time to ask whether volumes are attached.
  {
    row: 'finalizers of a new PersistentVolume',
    place:
      / scenario "driver restart".*\/volumes\/[^/]+\/metadata\/finalizers\/external-attacher\/[a-z]+-csi-holdfast$/,
    isSometimes: true,
  },
  { row: 'events about progress', place: /\/writes\/(create|patch) events$/, isFewer: true },
  {
    row: 'messages of events',
    place:
      /\/events\/Warning (ProvisioningFailed|VolumeResizeFailed|VolumeModifyFailed|VolumeFailedDelete) on [^/]+\/messages\//,
  },
  { row: 'messages of events', place: /\/writes\/patch events$/, ours: /^-$/, theirs: /^"any"$/, isSometimes: true },
  // So many events of failures went before that the client drops what follows.
  {
    row: 'events of a failure that repeats',
    place: / scenario ".*\/events\/Normal FileSystemResizeRequired on PersistentVolumeClaim [^/]+\/[^/]+$/,
    theirs: /^-$/,
    isSometimes: true,
  },
  {
    row: 'text of an attach error',
    place: /\/attachments\/[^/]+\/status\/attachError\/message$/,
    ours: /^"CSINode /,
    theirs: /not found"$/,
  },
  { row: 'finalizer of a retained volume', place: /Retain\/[^/]+\/writes\/patch persistentvolumes$/, isFewer: true },
  {
    row: 'finalizer of a source',
    place:
      /: a (clone of a claim|volume from a snapshot)\/[^/]+\/writes\/(patch|update) (persistentvolumeclaims|volumesnapshots)$/,
  },
  // A patch says what it was made from: where another finalizer went meanwhile it is refused, and made anew.
  {
    row: 'finalizer of a source',
    place:
      /: a (clone of a claim|volume from a snapshot)\/[^/]+\/writes\/patch (persistentvolumeclaims|volumesnapshots) 422$/,
    isSometimes: true,
  },
  {
    row: 'giving a claim back to the scheduler',
    place: /\/writes\/(patch|update) persistentvolumeclaims$/,
    ours: /^(1|-)$/,
    theirs: /^(1|-)$/,
  },
  {
    row: 'status of a claim whose expansion fails',
    place: /\/writes\/patch persistentvolumeclaims\/status$/,
    isFewer: true,
  },
  {
    row: 'annotations of an attachment',
    place: /\/attachments\/[^/]+\/metadata\/annotations\/attacher\.csi\.holdfast\/(volume-handle|publish-secret)$/,
    theirs: /^-$/,
  },
  {
    row: 'events of a failure that repeats',
    place: /fails twice\/[^/]+\/events\/Warning Volume(Resize|Modify)Failed on [^/]+\/(count|messages\/.*)$/,
    isFewer: true,
  },
  {
    row: 'status of an attachment that is gone',
    place: /\/writes\/patch volumeattachments\/status 404$/,
    ours: /^-$/,
  },
  {
    row: 'errors of attachments',
    place: /fails twice\/[^/]+\/writes\/patch volumeattachments\/status$/,
    isFewer: true,
  },
  {
    row: 'work done twice',
    place: /\/writes\/(patch|delete) (persistentvolumes|volumeattachments|volumeattachments\/status)( 404| 422)?$/,
    isFewer: true,
    isSometimes: true,
  },
  {
    row: 'work done twice',
    place: /\/calls\/(ControllerPublishVolume|ControllerUnpublishVolume|DeleteVolume)\/\d+\/times$/,
    isFewer: true,
    isSometimes: true,
  },
];

export interface Judged {
  readonly unexplained: readonly Difference[];
  /** Differences by the row that explains them. */
  readonly explained: ReadonlyMap<string, number>;
  /** Entries that explain nothing any more. */
  readonly unused: readonly Deliberate[];
}

export function judge(differences: readonly Difference[], table: readonly Deliberate[] = deliberate): Judged {
  const used = new Set<Deliberate>();
  const explained = new Map<string, number>();
  const unexplained = differences.filter((difference) => {
    const entry = table.find((each) => explains(each, difference));
    if (entry === undefined) return true;
    used.add(entry);
    explained.set(entry.row, (explained.get(entry.row) ?? 0) + 1);
    return false;
  });
  return { unexplained, explained, unused: table.filter((each) => !used.has(each) && !each.isSometimes) };
}

function explains({ place, ours, theirs, isFewer }: Deliberate, difference: Difference): boolean {
  if (!place.test(difference.place)) return false;
  if (ours !== undefined && !ours.test(difference.ours)) return false;
  if (theirs !== undefined && !theirs.test(difference.theirs)) return false;
  return !isFewer || count(difference.ours) < count(difference.theirs);
}

/** What goes on while it is looked at is not counted, only there or not. */
function count(text: string): number {
  if (text === '-') return 0;
  return text === '"any"' ? 1 : Number(text);
}
