import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, plainVolume, serveDriver } from '@holdfast/driver-kit';
import { bindMount, boundPublications, cleanupMountPoint, fileSystemUsage } from '@holdfast/mount';
import { createLogger } from '@holdfast/sidecar';
import * as z from 'zod';

const { CSI_ENDPOINT: address = '', NODE_ID: nodeId = '', POOL: pool = '' } = process.env;
const promised = z.object({ name: z.string(), capacityBytes: z.coerce.bigint() });
const own = { 'sample.csi.example/node': nodeId };

/** A volume is a folder, `data`, beside a file that says what was promised. */
const backend: Backend = {
  parameters: z.object({}),
  accessModes: ['SINGLE_NODE_WRITER'],
  accessKinds: ['mount'],
  hasMountFlags: false,
  topology: { own, placements: async () => [own] },
  sizeRules: async () => ({ defaultBytes: 1n << 30n, minimumBytes: 1n, maximumBytes: 1n << 40n, stepBytes: 1n }),
  findVolume: async (id) => {
    const file = join(pool, id, 'volume.json');
    if (!existsSync(file)) return undefined;
    return plainVolume({ id, topology: [own], ...promised.parse(JSON.parse(await readFile(file, 'utf8'))) });
  },
  createVolume: async ({ id, name, capacityBytes }) => {
    const half = join(pool, `.${id}`);
    await mkdir(join(half, 'data'), { recursive: true });
    await writeFile(join(half, 'volume.json'), JSON.stringify({ name, capacityBytes: String(capacityBytes) }));
    await rename(half, join(pool, id));
    return plainVolume({ id, name, capacityBytes, topology: [own] });
  },
  deleteVolume: (id) => rm(join(pool, id), { recursive: true, force: true }),
  publications: ({ id }, targetPath) => boundPublications(join(pool, id, 'data'), targetPath),
  publishVolume: async ({ volume, targetPath: target, isReadOnly }) => {
    await mkdir(target, { recursive: true });
    await bindMount({ source: join(pool, volume.id, 'data'), target, isReadOnly });
  },
  unpublishVolume: (_id, targetPath) => cleanupMountPoint(targetPath),
  volumeStats: async ({ id }, path) => {
    const publications = await boundPublications(join(pool, id, 'data'), path);
    if (publications.every(({ targetPath }) => targetPath !== path)) return undefined;
    const { totalBytes: total, usedBytes: used, availableBytes: available } = await fileSystemUsage(path);
    return { bytes: { total, used, available } };
  },
};

const log = createLogger({ program: 'sample-driver', verbosity: 0, format: 'text' });
const server = await serveDriver({
  backend,
  name: 'sample.csi.example',
  version: '1',
  role: 'all',
  nodeId,
  address,
  log,
});
log.info('Serving', { address: server.address });
process.once('SIGTERM', () => void server.stop());
