import { runCommand } from '@holdfast/mount';

const text = 'kept';
/** In a child of its own: what is written to a file system that somebody holds waits for ever. */
const patience = { timeoutMs: 10_000 };

/** Writes what is expected later, through to the device. */
export async function writable(path: string): Promise<void> {
  await runCommand('sh', ['-c', `printf ${text} | dd of="$1" conv=notrunc,fsync status=none`, 'sh', path], patience);
}

export async function readable(path: string): Promise<string> {
  return (await runCommand('head', ['--bytes', String(text.length), path], patience)).stdout;
}

export async function expectText(path: string): Promise<void> {
  const found = await readable(path);
  if (found !== text)
    throw new Error(`${path} holds ${JSON.stringify(found)}, and ${JSON.stringify(text)} was written`);
}
