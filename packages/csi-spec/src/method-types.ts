import type { MethodTypes } from './field-kind.ts';
import { methodTypes } from './gen/field-table.ts';

/** Full names of the messages a method carries; undefined for a method of no service here. */
export function methodTypesOf(path: string): MethodTypes | undefined {
  return methodTypes[path];
}
