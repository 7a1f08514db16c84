import { describe, expect, it } from 'vitest';
import { createTlsCache, type TlsSettings } from './config.ts';

const settings: TlsSettings = { ca: Buffer.from('ca'), cert: 'cert', key: 'key', servername: 'api', isInsecure: false };

describe('createTlsCache', () => {
  it('returns the first of equal settings, whether read as text or as bytes', () => {
    const same = createTlsCache();
    expect(same(settings)).toBe(settings);
    expect(same({ ...settings, ca: Buffer.from('ca'), cert: Buffer.from('cert') })).toBe(settings);
  });

  it.each<[string, TlsSettings]>([
    ['authority', { ...settings, ca: Buffer.from('CA') }],
    ['certificate', { ...settings, cert: 'other' }],
    ['key', { ...settings, key: Buffer.from('other') }],
    ['server name', { ...settings, servername: 'other' }],
    ['insecurity', { ...settings, isInsecure: true }],
    ['lack of an authority', { cert: 'cert', key: 'key', servername: 'api', isInsecure: false }],
  ])('returns settings with another %s', (_what, changed) => {
    const same = createTlsCache();
    same(settings);
    expect(same(changed)).toBe(changed);
    expect(same(settings)).toBe(settings);
  });
});
