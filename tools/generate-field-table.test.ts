import { expect, test } from 'vitest';
import { fieldTableSource, type Image } from './generate-field-table.ts';

const imageWith = (field: object): Image => ({
  file: [
    { name: 'a.proto', package: 'a', messageType: [{ name: 'Request', field: [{ label: '', ...base, ...field }] }] },
  ],
});
const base = { name: 'some_field', jsonName: 'someField', type: 'TYPE_STRING' };

test('a field marked csi_secret is a secret, whatever its type', () => {
  const source = fieldTableSource(imageWith({ options: { '[csi.v1.csi_secret]': true } }));
  expect(source).toContain(`{ name: 'some_field', property: 'someField', kind: 'secret' }`);
});

test('a field of a kind that logs cannot show stops the generation', () => {
  expect(() => fieldTableSource(imageWith({ type: 'TYPE_BYTES' }))).toThrow(
    'a.Request.some_field: no rule for a TYPE_BYTES',
  );
});
