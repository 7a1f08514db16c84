import { assert, constantFrom, dictionary, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../json.ts';
import { allKinds } from '../kinds/all.ts';
import { decodeStruct } from './decode.ts';
import type { Shape } from './notation.ts';
import { readTable } from './notation.ts';
import { openApiSchemas } from './openapi-schemas.ts';
import { structNamed } from './structs.ts';

const decode = (kind: string, value: JsonObject): ReturnType<typeof decodeStruct> => decodeStruct(kind, value);

describe('a decode', () => {
  it('drops what the kind does not have, and says where it was', () => {
    const pod = { spec: { containers: [{ name: 'a' }, { name: 'b', imag: 'c' }], nodename: 'n' }, sttus: {} };
    expect(decode('Pod', pod)).toEqual({
      value: {
        spec: {
          containers: [
            { name: 'a', resources: {} },
            { name: 'b', resources: {} },
          ],
        },
        status: {},
      },
      unknownFields: ['spec.containers[1].imag', 'spec.nodename', 'sttus'],
    });
  });

  it('is not led astray by names every object has', () => {
    const body: JsonObject = JSON.parse('{"constructor":{},"toString":1,"__proto__":{"data":{"a":"b"}}}');
    expect(decode('ConfigMap', body)).toEqual({ value: {}, unknownFields: ['constructor', 'toString', '__proto__'] });
  });

  it('stores quantities and times in one form', () => {
    const { value } = decode('PersistentVolume', {
      metadata: { creationTimestamp: '2026-01-02T03:04:05.678+01:00' },
      spec: { capacity: { storage: '1024Mi' } },
    });
    expect(value).toEqual({
      metadata: { creationTimestamp: '2026-01-02T02:04:05Z' },
      spec: { capacity: { storage: '1Gi' } },
      status: {},
    });
    const lease = decode('Lease', { spec: { renewTime: '2026-01-02T03:04:05.678901+01:00' } });
    expect(lease.value).toEqual({ spec: { renewTime: '2026-01-02T02:04:05.678901Z' } });
    const pod = { spec: { containers: [{ resources: { requests: { memory: 1024 } } }] } };
    expect(JSON.stringify(decode('Pod', pod).value)).toContain('{"memory":"1024"}');
  });

  it.each<[string, JsonObject, string]>([
    ['ConfigMap', { data: { a: 7 } }, 'cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    [
      'ConfigMap',
      { data: 'x' },
      'cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    ['Pod', { spec: { containers: 7 } }, 'number into Go struct field PodSpec.spec.containers of type []v1.Container'],
    ['Pod', { spec: [] }, 'cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec'],
    ['Lease', { spec: { leaseTransitions: 1.5 } }, 'cannot unmarshal number 1.5 into Go struct field LeaseSpec.spec.'],
    ['Lease', { spec: { leaseTransitions: 2 ** 31 } }, 'of type int32'],
    ['Lease', { spec: { renewTime: '2026-01-02T03:04:05.678Z' } }, 'parsing time "2026-01-02T03:04:05.678Z"'],
    ['Pod', { metadata: { creationTimestamp: 'yesterday' } }, 'parsing time "yesterday"'],
    ['Secret', { data: { a: 'no base64!' } }, 'illegal base64 data at input byte 2'],
    ['Secret', { data: { a: 'YQ=' } }, 'illegal base64 data at input byte 3'],
    ['StorageClass', { allowVolumeExpansion: 'yes' }, 'string into Go struct field StorageClass.allowVolumeExpansion'],
    ['PersistentVolume', { spec: { capacity: { storage: '1.5x' } } }, 'quantities must match the regular expression'],
  ])('of a %s refuses %j', (kind, value, message) => {
    expect(() => decode(kind, value)).toThrow(message);
  });

  it('keeps a null its place in a list', () => {
    expect(decode('Pod', { spec: { containers: [null, { name: 'a', args: [null, 'b'] }] } }).value).toEqual({
      spec: {
        containers: [
          { name: '', resources: {} },
          { name: 'a', args: ['', 'b'], resources: {} },
        ],
      },
      status: {},
    });
  });

  it('either says what is wrong or leaves what it would leave again', () => {
    const kinds = constantFrom(...allKinds.map(({ kind }) => kind));
    assert(
      property(kinds, dictionary(constantFrom('metadata', 'spec', 'status', 'data'), jsonValue()), (kind, raw) => {
        const value: JsonObject = JSON.parse(JSON.stringify(raw));
        let once: JsonObject;
        try {
          once = decode(kind, value).value;
        } catch (error) {
          expect(error).toHaveProperty('name', 'DecodeError');
          return;
        }
        expect(decode(kind, once)).toEqual({ value: once, unknownFields: [] });
      }),
    );
  });
});

describe('the tables', () => {
  function structsIn(shape: Shape): string[] {
    if (shape.kind === 'struct') return [shape.name];
    return 'of' in shape ? structsIn(shape.of) : [];
  }

  it('have every struct that a kind holds', () => {
    const seen = new Set<string>();
    const visit = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const { shape } of structNamed(name).fields.values()) structsIn(shape).forEach(visit);
    };
    for (const { kind } of allKinds) {
      visit(kind);
      expect([...structNamed(kind).fields.keys()]).toEqual(expect.arrayContaining(['apiVersion', 'kind', 'metadata']));
    }
    expect(seen.size).toBeGreaterThan(200);
  });

  it('are read as they are written', () => {
    const [first, second] = readTable(
      'Thing\n  name!= string, tags [set]string, limit *int32,\n  parts map[atomic][a+b]Part\nPart atomic\n  part Thing\n',
    );
    const text = { kind: 'scalar', type: 'string' };
    expect(first?.isAtomic).toBe(false);
    expect([...(first?.fields ?? [])]).toEqual([
      ['name', { shape: text, isRequired: true, isWritten: 'always' }],
      [
        'tags',
        { shape: { kind: 'list', of: text, items: { kind: 'set' } }, isRequired: false, isWritten: 'unless zero' },
      ],
      ['limit', { shape: { kind: 'scalar', type: 'int32' }, isRequired: false, isWritten: 'when given' }],
      [
        'parts',
        {
          shape: {
            kind: 'map',
            isAtomic: true,
            of: { kind: 'list', of: { kind: 'struct', name: 'Part' }, items: { kind: 'map', keys: ['a', 'b'] } },
          },
          isRequired: false,
          isWritten: 'unless zero',
        },
      ],
    ]);
    expect(second).toMatchObject({ name: 'Part', isAtomic: true });
  });

  it('are written as Go does: zeros left out, or always there, or as they were given', () => {
    const event = decodeStruct('Event', { reason: '', count: 0 }).value;
    expect(event).toMatchObject({ eventTime: null, reportingComponent: '', source: {} });
    expect(Object.keys(event)).not.toEqual(expect.arrayContaining(['reason']));
    expect(decodeStruct('ConfigMap', { immutable: false }).value).toEqual({ immutable: false });
    expect(decodeStruct('Node', {}).value).toMatchObject({
      status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } } },
    });
  });

  it('make schemas without a loose reference', () => {
    const schemas = openApiSchemas(allKinds);
    const references = JSON.stringify(schemas).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
    for (const [, name = ''] of references) expect(schemas).toHaveProperty([name]);
  });
});
