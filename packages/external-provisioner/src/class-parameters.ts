import { RESERVED_PREFIX } from './names.ts';
import { RefusalError } from './refusal.ts';
import { secretParameterKeys } from './secret-refs.ts';

const FS_TYPE_KEY = `${RESERVED_PREFIX}fstype`;
const reservedKeys: ReadonlySet<string> = new Set([FS_TYPE_KEY, ...secretParameterKeys]);

/**
 * What the driver gets to see of a class's parameters. The reserved ones are ours and are taken out; a reserved one we
 * do not know is a misspelling and refused. The old keys without a prefix (`fstype`, `csiProvisionerSecretName`, …) are
 * passed on, as upstream does.
 */
export function driverParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  refuseUnspeakable(parameters, 'class parameter');
  const passedOn: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters)) {
    if (!key.startsWith(RESERVED_PREFIX)) passedOn[key] = value;
    else if (!reservedKeys.has(key)) {
      throw new RefusalError(
        `class parameter ${key} is unknown: names under ${RESERVED_PREFIX} are reserved; correct or remove it`,
      );
    }
  }
  return passedOn;
}

/** A map with this key does not survive being read from the wire, so that a repeated request would be another one. */
export function refuseUnspeakable(parameters: Readonly<Record<string, string>>, what: string): void {
  if (Object.hasOwn(parameters, '__proto__')) {
    throw new RefusalError(`${what} __proto__ cannot be sent to a driver: remove it, or give it another name`);
  }
}

/** The file system a class asks for: the reserved key, or the old `fstype` in any case; else `defaultFsType`. */
export function fsTypeOf(parameters: Readonly<Record<string, string>>, defaultFsType: string): string {
  const keys = Object.keys(parameters).filter((key) => key === FS_TYPE_KEY || key.toLowerCase() === 'fstype');
  if (keys.length > 1) {
    throw new RefusalError(`class parameters ${keys.join(' and ')} all name the file system: keep ${FS_TYPE_KEY}`);
  }
  const [key] = keys;
  return (key === undefined ? undefined : parameters[key]) ?? defaultFsType;
}
