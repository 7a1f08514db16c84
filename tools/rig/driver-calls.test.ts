import { createLogger } from '@holdfast/sidecar';
import { describe, expect, it } from 'vitest';
import { parseDriverCalls } from './driver-calls.ts';

/** Lines as the driver's own logger writes them. */
function logOf(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = { write: (line: string) => (text += line) };
  write(createLogger({ program: 'holdfast-driver', verbosity: 5, format: 'text', destination }));
  return text;
}

const method = (name: string): string => `/csi.v1.Controller/${name}`;

describe('parseDriverCalls', () => {
  it('tells two calls apart that are under way at once', () => {
    const log = logOf((driver) => {
      driver.debug(5, 'GRPC call', { id: 1, method: method('DeleteVolume'), request: { volume_id: 'pvc-1' } });
      driver.debug(5, 'GRPC call', { id: 2, method: method('DeleteVolume'), request: { volume_id: 'pvc-2' } });
      driver.info('Detached', { volume: 'pvc-2' });
      driver.debug(5, 'GRPC response', { id: 2, method: method('DeleteVolume'), response: {} });
      driver.debug(5, 'GRPC response', { id: 1, method: method('DeleteVolume'), error: 'Aborted: "busy": wait' });
    });
    expect(parseDriverCalls(log)).toEqual([
      { method: 'DeleteVolume', volumeId: 'pvc-2', code: 'OK' },
      { method: 'DeleteVolume', volumeId: 'pvc-1', code: 'Aborted' },
    ]);
  });

  it('has the id of a new volume from the answer, and none when there is no volume', () => {
    const log = logOf((driver) => {
      driver.debug(5, 'GRPC call', { id: 1, method: method('CreateVolume'), request: { name: 'pvc-1' } });
      driver.debug(5, 'GRPC response', {
        id: 1,
        method: method('CreateVolume'),
        response: { volume: { volume_id: 'vol-1', capacity_bytes: '1' } },
      });
      driver.debug(5, 'GRPC call', { id: 2, method: method('CreateVolume'), request: { name: 'pvc-2' } });
      driver.debug(5, 'GRPC response', { id: 2, method: method('CreateVolume'), error: 'OutOfRange: too large' });
    });
    expect(parseDriverCalls(log)).toEqual([
      { method: 'CreateVolume', volumeId: 'vol-1', code: 'OK' },
      { method: 'CreateVolume', volumeId: '', code: 'OutOfRange' },
    ]);
  });

  it('takes no answer of a process for that of the one before, which was killed in the middle', () => {
    const log = logOf((driver) => {
      driver.info('Listening', { address: '/csi.sock' });
      driver.debug(5, 'GRPC call', { id: 1, method: method('DeleteVolume'), request: { volume_id: 'pvc-1' } });
      driver.info('Listening', { address: '/csi.sock' });
      driver.debug(5, 'GRPC call', { id: 1, method: '/csi.v1.Identity/Probe', request: {} });
      driver.debug(5, 'GRPC response', { id: 1, method: '/csi.v1.Identity/Probe', response: { ready: true } });
    });
    expect(parseDriverCalls(log)).toEqual([{ method: 'Probe', volumeId: '', code: 'OK' }]);
  });

  it('takes a line that was cut short by a kill for none', () => {
    const log = logOf((driver) => {
      driver.debug(5, 'GRPC call', { id: 1, method: method('CreateVolume'), request: { name: 'pvc-1' } });
      driver.debug(5, 'GRPC response', {
        id: 1,
        method: method('CreateVolume'),
        response: { volume: { volume_id: 'a' } },
      });
    });
    const next = logOf((driver) => driver.info('Version', { version: '1' }));
    const begin = log.indexOf('response={');
    for (let end = begin; end < log.length; end++) expect(parseDriverCalls(log.slice(0, end) + next)).toEqual([]);
  });

  it('leaves a last line alone that is still being written, wherever it ends so far', () => {
    const log = logOf((driver) => {
      driver.debug(5, 'GRPC call', { id: 1, method: method('DeleteVolume'), request: { volume_id: 'pvc-1' } });
      driver.debug(5, 'GRPC response', { id: 1, method: method('DeleteVolume'), response: {} });
    });
    for (let end = 0; end < log.length; end++) expect(parseDriverCalls(log.slice(0, end))).toEqual([]);
    expect(parseDriverCalls(log)).toHaveLength(1);
  });
});
