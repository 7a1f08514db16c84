/**
 * The JSON shape of a client-node model: what the wire carries, with timestamps as RFC 3339 strings instead of `Date`.
 * client-node's own deserialiser drops fields it does not know; values typed with this never pass through it.
 */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T]: Json<T[Key]> }
      : T;
