import { describe, expect, it } from 'vitest';
import { decideVolume, type Progress, type VolumeView } from './decide.ts';

function decide(view: Partial<VolumeView>) {
  return decideVolume({
    wantedBy: ['pod'],
    heldBy: new Set(),
    stage: 'absent',
    publications: new Map(),
    driver: 'staging',
    isAttachRequired: false,
    isReportedInUse: false,
    isAttached: false,
    isExpansionDue: false,
    ...view,
  });
}

const published = (progress: Progress, podUid = 'pod') => new Map([[podUid, progress]]);

describe('a volume that pods need', () => {
  it.each([
    ['waits for its driver', { driver: 'missing' }, { kind: 'wait', for: 'driver' }],
    [
      'is reported in use before its attachment is looked at',
      { isAttachRequired: true, isAttached: true },
      { kind: 'reportInUse' },
    ],
    [
      'waits for its attachment',
      { isAttachRequired: true, isReportedInUse: true },
      { kind: 'wait', for: 'attachment' },
    ],
    ['is staged once attached', { isAttachRequired: true, isReportedInUse: true, isAttached: true }, { kind: 'stage' }],
    ['is staged at once without one', {}, { kind: 'stage' }],
    ['is staged again when nobody knows', { stage: 'uncertain', publications: published('done') }, { kind: 'stage' }],
    ['is published once staged', { stage: 'done' }, { kind: 'publish', podUid: 'pod' }],
    ['is published at once without staging', { driver: 'plain' }, { kind: 'publish', podUid: 'pod' }],
    [
      'is published again when nobody knows',
      { stage: 'done', publications: published('uncertain') },
      { kind: 'publish', podUid: 'pod' },
    ],
    [
      'is published to each pod',
      { stage: 'done', wantedBy: ['pod', 'b'], publications: published('done') },
      { kind: 'publish', podUid: 'b' },
    ],
    [
      'is grown once published',
      { stage: 'done', publications: published('done'), isExpansionDue: true },
      { kind: 'expand' },
    ],
    [
      'needs no driver when all is done',
      { stage: 'done', driver: 'missing', publications: published('done') },
      { kind: 'none' },
    ],
    [
      'leaves a pod that is gone first',
      { stage: 'done', publications: published('done', 'gone') },
      { kind: 'unpublish', podUid: 'gone' },
    ],
  ] as const)('%s', (_, view, expected) => {
    expect(decide(view)).toEqual(expected);
  });
});

describe('a volume that no pod needs', () => {
  it.each([
    ['is unpublished', { stage: 'done', publications: published('done') }, { kind: 'unpublish', podUid: 'pod' }],
    [
      'is unpublished when nobody knows',
      { stage: 'done', publications: published('uncertain') },
      { kind: 'unpublish', podUid: 'pod' },
    ],
    ['is unstaged then', { stage: 'done' }, { kind: 'unstage' }],
    ['is unstaged when nobody knows', { stage: 'uncertain' }, { kind: 'unstage' }],
    ['waits for its driver to be unstaged', { stage: 'done', driver: 'missing' }, { kind: 'wait', for: 'driver' }],
    [
      'stays while a process of its pod runs',
      { stage: 'done', publications: published('done'), heldBy: new Set(['pod']) },
      { kind: 'none' },
    ],
    [
      'leaves the pods that have ended',
      {
        stage: 'done',
        publications: new Map([...published('done'), ...published('done', 'b')]),
        heldBy: new Set(['pod']),
      },
      { kind: 'unpublish', podUid: 'b' },
    ],
    ['is let go last', { isReportedInUse: true }, { kind: 'release' }],
    ['is nothing then', {}, { kind: 'none' }],
  ] as const)('%s', (_, view, expected) => {
    expect(decide({ wantedBy: [], ...view })).toEqual(expected);
  });
});
