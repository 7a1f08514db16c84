/** Commands of the driver that only look. Everything else counts as a step. */
export function isReadingCommand(tool: string, args: readonly string[]): boolean {
  switch (tool) {
    case 'blkid':
    case 'stat':
      return true;
    case 'losetup':
      return args.includes('--list');
    case 'blockdev':
      return args.every((word) => !word.startsWith('--set'));
    default:
      return false;
  }
}
