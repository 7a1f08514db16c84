import * as z from 'zod';
import type { DriverCall } from './contract.ts';

// A line of `--v=5`: `I0102 15:04:05.000000  1 holdfast-driver] "GRPC call" id=1 method="/csi.v1.Controller/…" request={…}`.
const callLine = /\] "GRPC (call|response)" id=(\d+) method="\/csi\.v1\.\w+\/(\w+)" (request|response|error)=(.*)$/;
/** Where the process begins, its numbers begin again. */
const firstLine = /\] "Listening"/;

const request = z.looseObject({ volume_id: z.string().default('') });
const response = z.looseObject({ volume: z.looseObject({ volume_id: z.string().default('') }).optional() });

/**
 * The calls that a driver answered, in the order of its answers. CreateVolume has its volume's id from the answer. A last line
 * without its end is still being written: a file is read while the driver appends to it.
 */
export function parseDriverCalls(log: string): DriverCall[] {
  const asked = new Map<string, string>();
  return log
    .slice(0, log.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line) => {
      if (firstLine.test(line)) asked.clear();
      const [, kind, id = '', method = '', , value = ''] = callLine.exec(line) ?? [];
      if (kind === undefined) return [];
      if (isCutShort(value)) return [];
      if (kind === 'call') {
        asked.set(id, request.parse(JSON.parse(value)).volume_id);
        return [];
      }
      const volumeId = asked.get(id) ?? '';
      asked.delete(id);
      return [answeredCall(line, method, volumeId, value)];
    });
}

/** A line that a killed driver did not finish goes on with the first line of the next. */
function isCutShort(value: string): boolean {
  return /[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w-]+\] "/.test(value);
}

function answeredCall(line: string, method: string, volumeId: string, value: string): DriverCall {
  const body: unknown = JSON.parse(value);
  // An error is a string: `NotFound: no such volume`.
  if (typeof body === 'string') return { method, volumeId, code: body.split(':', 1).join('') };
  const read = response.safeParse(body);
  if (!read.success) throw new Error(`the driver's log has an answer that is none: ${line.slice(0, 200)}`);
  return { method, volumeId: volumeId || (read.data.volume?.volume_id ?? ''), code: 'OK' };
}
