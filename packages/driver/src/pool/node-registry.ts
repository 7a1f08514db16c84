import { mkdir, readdir } from 'node:fs/promises';
import { pathInside } from './path-inside.ts';

export interface NodeRegistry {
  register(nodeId: string): Promise<void>;
  nodeIds(): Promise<string[]>;
}

/** Which nodes serve this pool: an empty folder for each, made when its node plug-in starts. Node ids may hold any character. */
export function createNodeRegistry(folder: string): NodeRegistry {
  return {
    async register(nodeId) {
      await mkdir(pathInside(folder, Buffer.from(nodeId).toString('base64url')), { recursive: true });
    },
    async nodeIds() {
      return (await readdir(folder)).map((name) => Buffer.from(name, 'base64url').toString()).toSorted();
    },
  };
}
