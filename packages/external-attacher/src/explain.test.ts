import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttachmentStep, type AttachmentView, decideAttachment } from './decide.ts';
import { decideVolume, type VolumeStep, type VolumeView } from './decide-volume.ts';
import type { DriverTraits } from './driver-traits.ts';
import { explainAttachment, explainVolume } from './explain.ts';
import { attachmentOf, csiNodeOf, DELETED, FINALIZER, traits, volumeOf } from './testing/objects.ts';

const plain: AttachmentView = {
  attachment: attachmentOf(),
  volume: volumeOf(),
  csiNode: csiNodeOf(),
  siblings: [],
  isForced: false,
};
const cannotPublish = { ...traits, canPublish: false };
const going = { ...DELETED, finalizers: [FINALIZER] };
const held = { finalizers: [FINALIZER] };

/** For each outcome a view that leads to it: one more outcome does not compile without. */
const attachments: Record<AttachmentStep['kind'], [Partial<AttachmentView>, DriverTraits]> = {
  ignore: [{ attachment: attachmentOf({ status: { attached: true } }) }, traits],
  leaveToOthers: [{ attachment: attachmentOf({ metadata: DELETED }) }, traits],
  refuse: [{ csiNode: undefined }, traits],
  attach: [{}, traits],
  detach: [{ attachment: attachmentOf({ metadata: going }) }, traits],
  markAttached: [{}, cannotPublish],
  markDetached: [{ attachment: attachmentOf({ metadata: DELETED, status: { attached: true } }) }, traits],
  release: [{ attachment: attachmentOf({ metadata: going }) }, cannotPublish],
};

const volumes: Record<VolumeStep['kind'], VolumeView> = {
  ignore: { volume: volumeOf(), attachments: [] },
  wait: { volume: volumeOf({ metadata: { ...DELETED, ...held } }), attachments: [attachmentOf()] },
  release: { volume: volumeOf({ metadata: { ...DELETED, ...held } }), attachments: [] },
};

describe('what is said of a decision', () => {
  it.each(Object.entries(attachments))('about a VolumeAttachment: %s', (kind, [view, driver]) => {
    const step = decideAttachment({ ...plain, ...view }, driver);
    expect(step.kind).toBe(kind);
    expect(step.reason).not.toBe('');
    expect(explainAttachment(step).text).not.toBe('');
  });

  it.each(Object.entries(volumes))('about a volume: %s', (kind, view) => {
    const step = decideVolume(view, traits);
    expect(step.kind).toBe(kind);
    expect(explainVolume(step).text).not.toBe('');
  });

  it('is there whatever is decided, and nothing is settled that is neither attached nor somebody else’s', () => {
    fc.assert(
      fc.property(
        fc.record({
          attachment: fc.constantFrom(...Object.values(attachments).map(([view]) => view.attachment ?? attachmentOf())),
          volume: fc.constantFrom(
            undefined,
            volumeOf(),
            volumeOf({ metadata: DELETED }),
            volumeOf({ csi: { driver: 'other' } }),
          ),
          csiNode: fc.constantFrom(undefined, csiNodeOf(), csiNodeOf('node-1', '')),
          siblings: fc.constantFrom([], [attachmentOf({ name: 'va-0', metadata: going })]),
          isForced: fc.boolean(),
        }),
        fc.constantFrom(traits, cannotPublish),
        (view, driver) => {
          const { standing, text } = explainAttachment(decideAttachment(view, driver));
          expect(text).toMatch(/\w/);
          const isAttached = view.attachment.status?.attached === true && !view.isForced;
          const isGoing = view.attachment.metadata.deletionTimestamp !== undefined;
          expect(standing === 'settled').toBe(isAttached && !isGoing);
        },
      ),
    );
  });
});
