import { mkdir, readdir, readFile } from 'node:fs/promises';
import { errorMessage } from '@holdfast/core';
import type { Segments } from '@holdfast/driver-kit';
import * as z from 'zod';
import { topologyKey, zoneTopologyKey } from '../names.ts';
import { isMissing, removeFileDurably, removeTemporaryFiles, writeFileDurably, writerName } from './durable-file.ts';
import { pathInside } from './path-inside.ts';

export interface RegisteredNode {
  readonly nodeId: string;
  readonly segments: Segments;
}

export interface NodeRegistry {
  /** Without a zone the node is a place of its own. */
  register(nodeId: string, zone?: string): Promise<void>;
  /** In the order of their ids. */
  list(): Promise<RegisteredNode[]>;
}

const suffix = '.json';
const zoneShape = z.object({ version: z.literal(1), zone: z.string().min(1) });

/**
 * Which nodes serve this pool, each written when its node plug-in starts: an empty folder, or, for a node of a zone, a file, which counts
 * for more than a folder left from before. Node ids may hold any character.
 */
export function createNodeRegistry(folder: string): NodeRegistry {
  async function segmentsOf(nodeId: string): Promise<Segments> {
    const file = zoneFile(folder, nodeId);
    try {
      return { [zoneTopologyKey]: zoneShape.parse(JSON.parse(await readFile(file, 'utf8'))).zone };
    } catch (error) {
      if (isMissing(error)) return { [topologyKey]: nodeId };
      throw new Error(
        `${file} cannot be read: ${errorMessage(error)}. Restart the node plug-in of ${nodeId}, which writes it anew`,
        { cause: error },
      );
    }
  }

  return {
    async register(nodeId, zone = '') {
      const writer = writerName('node', nodeId);
      await removeTemporaryFiles(folder, writer);
      if (zone !== '') {
        await writeFileDurably(zoneFile(folder, nodeId), `${JSON.stringify({ version: 1, zone })}\n`, writer);
        return;
      }
      await mkdir(pathInside(folder, encode(nodeId)), { recursive: true });
      await removeFileDurably(zoneFile(folder, nodeId));
    },
    async list() {
      const names = (await readdir(folder)).map((name) =>
        name.endsWith(suffix) ? name.slice(0, -suffix.length) : name,
      );
      // A dot is in no encoded id: what has one is a file half written.
      const ids = names.filter((name) => !name.includes('.')).map((name) => Buffer.from(name, 'base64url').toString());
      return Promise.all(
        [...new Set(ids)].toSorted().map(async (nodeId) => ({ nodeId, segments: await segmentsOf(nodeId) })),
      );
    },
  };
}

function zoneFile(folder: string, nodeId: string): string {
  return pathInside(folder, `${encode(nodeId)}${suffix}`);
}

function encode(nodeId: string): string {
  return Buffer.from(nodeId).toString('base64url');
}
