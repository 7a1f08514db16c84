import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DataDir, openDataDir } from './data-dir.ts';

let root: string;
let dir: string;
const opened: DataDir[] = [];
const now = Date.parse('2026-01-02T03:04:05Z');
const yearMs = 365 * 24 * 60 * 60 * 1000;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-data-'));
  dir = join(root, 'data');
});
afterEach(async () => {
  for (const data of opened.splice(0)) await data.close();
  await rm(root, { recursive: true, force: true });
});

async function open(nowMs = now): Promise<DataDir> {
  const data = await openDataDir(dir, nowMs);
  opened.push(data);
  return data;
}

async function reopen(nowMs = now): Promise<DataDir> {
  await opened.pop()?.close();
  return open(nowMs);
}

describe('a data folder', () => {
  it('keeps token, certificate and signing key, for its owner alone', async () => {
    const { adminToken, certificate, signingKey } = (await open()).credentials;
    const again = (await reopen()).credentials;
    expect([again.adminToken, again.certificate, again.signingKey.keyId]).toEqual([
      adminToken,
      certificate,
      signingKey.keyId,
    ]);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    for (const file of await readdir(dir))
      expect([file, (await stat(join(dir, file))).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('makes a certificate anew that is about to end, and nothing else', async () => {
    const { adminToken, certificate, signingKey } = (await open()).credentials;
    const later = (await reopen(now + yearMs)).credentials;
    expect([later.adminToken, later.signingKey.keyId]).toEqual([adminToken, signingKey.keyId]);
    expect(later.certificate).not.toEqual(certificate);
    expect((await reopen(now + yearMs)).credentials.certificate).toEqual(later.certificate);
  });

  it("is one process's at a time", async () => {
    await open();
    await expect(openDataDir(dir, now)).rejects.toThrow(
      `cannot lock the data folder ${dir}: another process has it open`,
    );
    await reopen();
  });

  it('is not locked by a start that failed, which names the file and tells no secret', async () => {
    await open();
    await opened.pop()?.close();
    const path = join(dir, 'credentials.json');
    const text = await readFile(path, 'utf8');
    const { adminToken } = (await open()).credentials;
    await opened.pop()?.close();
    for (const damaged of [
      text.replaceAll('BEGIN PRIVATE KEY', 'BEGIN'),
      text.slice(0, -3),
      text.replace('"certificate"', '"c"'),
    ]) {
      await writeFile(path, damaged);
      const error: unknown = await openDataDir(dir, now).catch((reason: unknown) => reason);
      expect(String(error)).toContain(`${path} is damaged: put back a copy`);
      expect(String(error)).toContain(`remove ${dir}`);
      expect(String(error)).not.toContain(adminToken);
    }
    await writeFile(path, text);
    await open();
  });

  it('says where it cannot be made', async () => {
    await writeFile(dir, '');
    await expect(openDataDir(dir, now)).rejects.toThrow(`cannot make the data folder ${dir}: `);
  });
});
