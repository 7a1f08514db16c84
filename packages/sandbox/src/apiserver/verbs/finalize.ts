import { readDraft } from '../draft.ts';
import type { JsonObject } from '../json.ts';
import { listAt, objectAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { namespaces } from '../kinds/core.ts';
import { conflict, notFound, STALE } from '../status.ts';
import type { VerbContext, WriteOptions } from './context.ts';
import { storeOrRemove } from './update.ts';

/** PUT of namespaces/finalize: sets spec.finalizers, which nothing else may; an emptied namespace goes. */
export function finalizeNamespace(
  context: VerbContext,
  name: string,
  body: unknown,
  options: WriteOptions,
): JsonObject {
  const draft = readDraft(namespaces, body, options.onUnknownFields);
  const namespace = context.storage.get(storageName(namespaces), name);
  if (namespace === undefined) throw notFound(namespaces, name);
  const { resourceVersion } = draft.metadata;
  if (resourceVersion !== undefined && resourceVersion !== namespace.metadata.resourceVersion) {
    throw conflict(namespaces, name, STALE);
  }
  const { finalizers: _, ...rest } = objectAt(namespace, 'spec') ?? {};
  const finalizers = listAt(draft, 'spec', 'finalizers');
  const spec = finalizers.length === 0 ? rest : { ...rest, finalizers: [...finalizers] };
  const next = { ...namespace, spec };
  return options.isDryRun ? next : storeOrRemove(context, namespaces, next);
}
