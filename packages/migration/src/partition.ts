import { MigrationError } from './plugin.ts';

/** The partition number in a volume's attributes; 0 is the whole disk. @throws MigrationError */
export function partitionOf(attributes: Readonly<Record<string, string>> | undefined): number {
  const text = attributes?.['partition'];
  if (text === undefined) return 0;
  if (!/^[+-]?[0-9]+$/.test(text))
    throw new MigrationError(`the volume attribute partition is "${text}", not a number`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value !== BigInt.asIntN(64, value))
    throw new MigrationError(`the volume attribute partition ${text} is too large`);
  // The plug-in's field has 32 bits.
  return Number(BigInt.asIntN(32, value));
}
