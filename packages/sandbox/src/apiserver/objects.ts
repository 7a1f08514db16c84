import type { JsonObject } from './json.ts';

export interface Meta extends JsonObject {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  generation?: number;
  labels?: { [key: string]: string };
  annotations?: { [key: string]: string };
  finalizers?: string[];
}

/** An object as the server keeps it. Never mutated once stored: a change is a new object. */
export interface ApiObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: Meta;
}

/** What a client sent, its metadata's shape checked and its nulls dropped, but nothing filled in. */
export interface DraftObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: DraftMeta;
}

export interface DraftMeta extends JsonObject {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  labels?: { [key: string]: string };
  annotations?: { [key: string]: string };
  finalizers?: string[];
}

/** 'namespace/name', or 'name' for a cluster-scoped object. */
export function keyOf(object: { metadata: { name?: string; namespace?: string } }): string {
  const { name = '', namespace } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** RFC 3339 with whole seconds, as metav1.Time is printed. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}

export function withResourceVersion(object: ApiObject, revision: number): ApiObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}
