import type { KubeObject, PersistentVolume, PersistentVolumeClaim, VolumeAttachment } from '@holdfast/kube';

/**
 * Names that differ from run to run, and what stands in their place: a volume is called after its claim, an attachment after
 * its volume and node. It only ever learns, so that what is gone can still be named.
 */
export interface NameBook {
  learnClaim(claim: PersistentVolumeClaim): void;
  learnVolume(volume: PersistentVolume): void;
  learnAttachment(attachment: VolumeAttachment): void;
  learnObject(object: KubeObject): void;
  /** The text with every known name replaced. */
  rename(text: string): string;
}

export function createNameBook(): NameBook {
  const tokens = new Map<string, string>();
  const handles = new Map<string, string>();
  // Names that hold a longer one, as a volume's name holds its claim's uid, must be replaced before it.
  let longestFirst: readonly (readonly [string, string])[] | undefined;

  function learn(name: string | undefined, token: string): void {
    if (name === undefined || name === '' || name === token || tokens.has(name)) return;
    tokens.set(name, token);
    longestFirst = undefined;
  }

  const book: NameBook = {
    learnClaim({ metadata: { name, uid } }) {
      learn(`pvc-${uid}`, `<volume of ${name}>`);
      learn(uid, `<uid of ${name}>`);
    },
    learnVolume({ metadata: { name, uid }, spec }) {
      const claim = spec?.claimRef;
      const token = name.startsWith('pvc-') ? `<volume of ${claim?.name}>` : name;
      learn(name, token);
      handles.set(name, spec?.csi?.volumeHandle ?? '');
      learn(spec?.csi?.volumeHandle, token);
      learn(uid, `<uid of ${token}>`);
    },
    learnAttachment({ metadata: { name, uid }, spec }) {
      const volume = spec?.source?.persistentVolumeName ?? '';
      // Its name is made of handle and node: that of a second volume with this handle is the same.
      const attached = tokens.get(handles.get(volume) ?? '') ?? tokens.get(volume) ?? volume;
      const token = `<attachment of ${attached} to ${spec?.nodeName}>`;
      learn(name, token);
      learn(uid, `<uid of ${token}>`);
    },
    learnObject({ kind, metadata: { name, uid } }) {
      learn(uid, `<uid of ${kind} ${name}>`);
    },
    rename(text) {
      longestFirst ??= [...tokens].sort(([a], [b]) => b.length - a.length);
      return longestFirst.reduce((renamed, [name, token]) => renamed.replaceAll(name, token), text);
    },
  };
  return book;
}
