// A file's descriptors as a table: one entry for each message, enum, service and extension, and one for the file itself. Pure.
import * as z from 'zod';

/** JSON as protobuf defines it for descriptors. What is not named here is compared all the same. */
const named = z.looseObject({ name: z.string() });
type Named = z.infer<typeof named>;
const nested = z.looseObject({ nestedType: z.array(named).default([]), enumType: z.array(named).default([]) });
const file = z.looseObject({
  package: z.string(),
  messageType: z.array(named).default([]),
  enumType: z.array(named).default([]),
  service: z.array(named).default([]),
  extension: z.array(z.looseObject({ name: z.string(), extendee: z.string() })).default([]),
});
const descriptorSet = z.object({ file: z.array(file) });

/** By what it is and its full name, such as `message csi.v1.Volume`. */
export type Declarations = ReadonlyMap<string, unknown>;

/** @throws ZodError where the text is no descriptor set */
export function declarationsOf(json: string): Declarations {
  const found = new Map<string, unknown>();
  for (const { package: scope, messageType, enumType, service, extension, ...rest } of descriptorSet.parse(
    JSON.parse(json),
  ).file) {
    // Where the file lies, and what it imports from where, is not on the wire.
    found.set(`file ${scope}`, { ...rest, name: undefined, dependency: undefined });
    addTypes(found, scope, { messageType, enumType });
    for (const { name, ...content } of service) found.set(`service ${scope}.${name}`, content);
    for (const { name, extendee, ...content } of extension) {
      found.set(`option ${scope}.${name} of ${extendee.replace('.google.protobuf.', '')}`, content);
    }
  }
  return found;
}

function addTypes(
  found: Map<string, unknown>,
  scope: string,
  { messageType, enumType }: { messageType: readonly Named[]; enumType: readonly Named[] },
): void {
  for (const { name, ...content } of enumType) found.set(`enum ${scope}.${name}`, content);
  for (const { name, ...message } of messageType) {
    const { nestedType, enumType: enums, ...content } = nested.parse(message);
    found.set(`message ${scope}.${name}`, content);
    addTypes(found, `${scope}.${name}`, { messageType: nestedType, enumType: enums });
  }
}
