import { describe, expect, it } from 'vitest';
import { compareDeclarations } from './compare.ts';
import { declarationsOf } from './declarations.ts';

const field = { name: 'volume_id', number: 1, label: 'LABEL_OPTIONAL', type: 'TYPE_STRING', jsonName: 'volumeId' };
const file = {
  name: 'csi.proto',
  package: 'csi.v1',
  syntax: 'proto3',
  options: { goPackage: 'example.com/csi' },
  messageType: [
    {
      name: 'Volume',
      field: [field, { ...field, name: 'secrets', number: 2, options: { '[csi.v1.csi_secret]': true } }],
      oneofDecl: [{ name: 'type' }],
      reservedRange: [{ start: 5, end: 6 }],
      enumType: [{ name: 'Kind', value: [{ name: 'UNKNOWN', number: 0 }] }],
      nestedType: [{ name: 'Inner', field: [field] }],
    },
  ],
  service: [{ name: 'Node', method: [{ name: 'Probe', inputType: '.csi.v1.Volume', outputType: '.csi.v1.Volume' }] }],
  extension: [{ ...field, name: 'csi_secret', extendee: '.google.protobuf.FieldOptions', number: 1059 }],
};
const theirs = JSON.stringify({ file: [file] });

function found(ours: string): Record<string, readonly string[]> {
  const compared = compareDeclarations(declarationsOf(ours), declarationsOf(theirs));
  return Object.fromEntries(
    compared.filter(({ differences }) => differences.length > 0).map((each) => [each.name, each.differences]),
  );
}

describe('two descriptor sets', () => {
  it('are one when they declare the same, wherever the files lie', () => {
    expect(found(theirs.replace('"csi.proto"', '"csi/v1/csi.proto"'))).toEqual({});
    expect([...declarationsOf(theirs).keys()]).toEqual([
      'file csi.v1',
      'message csi.v1.Volume',
      'enum csi.v1.Volume.Kind',
      'message csi.v1.Volume.Inner',
      'service csi.v1.Node',
      'option csi.v1.csi_secret of FieldOptions',
    ]);
  });

  it.each([
    ['a number', '"number":2', '"number":3', 'message csi.v1.Volume', 'field secrets number: ours 3, theirs 2'],
    ['a type', '"TYPE_STRING"', '"TYPE_BYTES"', 'message csi.v1.Volume', /field volume_id type: ours "TYPE_BYTES"/],
    ['a label', '"LABEL_OPTIONAL"', '"LABEL_REPEATED"', 'message csi.v1.Volume', /LABEL_REPEATED/],
    ['a name', '"name":"volume_id"', '"name":"id"', 'message csi.v1.Volume', /field volume_id: ours nothing/],
    ['an option', '"[csi.v1.csi_secret]":true', '', 'message csi.v1.Volume', /csi_secret\]: ours nothing, theirs true/],
    ['a oneof', '"oneofDecl":[{"name":"type"}]', '"oneofDecl":[]', 'message csi.v1.Volume', /oneofDecl type/],
    ['a reserved number', '"start":5', '"start":4', 'message csi.v1.Volume', /reservedRange 0 start: ours 4, theirs 5/],
    ['an enum value', '"number":0', '"number":1', 'enum csi.v1.Volume.Kind', 'value UNKNOWN number: ours 1, theirs 0'],
    ['a method', '"outputType":".csi.v1.Volume"', '"outputType":"x"', 'service csi.v1.Node', /method Probe outputType/],
    ['an option', '"number":1059', '"number":1060', 'option csi.v1.csi_secret of FieldOptions', /1060, theirs 1059/],
    ['a file option', 'example.com/csi', 'example.com/x', 'file csi.v1', /goPackage/],
  ])('differ in %s', (_, from, to, declaration, difference) => {
    expect(theirs).toContain(from);
    const differing = found(theirs.replace(from, to));
    expect(Object.keys(differing)).toEqual([declaration]);
    expect(differing[declaration]?.join('\n')).toMatch(difference);
  });

  it('differ in what only one of them has', () => {
    expect(found(theirs.replace('"name":"Inner"', '"name":"Outer"'))).toEqual({
      'message csi.v1.Volume.Inner': ['we do not declare it'],
      'message csi.v1.Volume.Outer': ['only we declare it'],
    });
  });
});
