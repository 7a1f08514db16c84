import jsonpatch from 'fast-json-patch';
import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, show } from '../json.ts';
import { ApiError, badRequest } from '../status.ts';

// Upstream's own limit (evanphx/json-patch in apiserver): a patch is for a change, not for a program.
const operationLimit = 10_000;

/**
 * RFC 6902. A patch that is not one answers 400. One that does not apply (a `test` that fails, a path that is not there)
 * answers 422 with upstream's words, which name no cause.
 */
export function applyJsonPatch(target: JsonObject, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > operationLimit) {
    const message = `The allowed maximum operations in a JSON patch is ${operationLimit}, got ${patch.length}`;
    throw new ApiError(413, 'RequestEntityTooLarge', message);
  }
  let document: JsonValue = structuredClone(target);
  for (const operation of patch) document = applyOperation(document, readOperation(operation));
  return document;
}

function readOperation(operation: JsonValue): jsonpatch.Operation {
  if (!isObject(operation)) throw badRequest('error decoding patch: an operation is not an object');
  const { op, path, from, value } = operation;
  if (typeof path !== 'string') throw badRequest('error decoding patch: an operation has no path');
  if (op === 'add' || op === 'replace' || op === 'test') return { op, path, value: structuredClone(value ?? null) };
  if (op === 'remove') return { op, path };
  if (op !== 'move' && op !== 'copy') throw badRequest(`error decoding patch: unexpected operation ${show(op)}`);
  if (typeof from !== 'string') throw badRequest(`error decoding patch: ${op} has no from`);
  return { op, path, from };
}

function applyOperation(document: JsonValue, operation: jsonpatch.Operation): JsonValue {
  try {
    // As upstream's library (evanphx/json-patch): a test for null passes where there is nothing, if its parent is there.
    if (operation.op === 'test' && operation.value === null) {
      const found: unknown = jsonpatch.getValueByPointer(document, operation.path);
      if (found === undefined) return document;
    }
    return jsonpatch.applyOperation(document, operation, true, true).newDocument;
  } catch {
    throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
}
