/** How a field of a message is shown in a log. The table of all fields is generated from the descriptors. */
export type FieldKind =
  | { readonly kind: 'scalar' }
  /** A wrapper such as BoolValue: unset and the zero value mean different things. */
  | { readonly kind: 'wrapped' }
  /** Marked csi_secret: never shown. */
  | { readonly kind: 'secret' }
  | { readonly kind: 'map' }
  | { readonly kind: 'enum'; readonly enum: string }
  | { readonly kind: 'message'; readonly message: string };

export type MessageField = FieldKind & {
  /** The name in the proto file, which logs use as the Go programs do. */
  readonly name: string;
  /** The property of the generated message. */
  readonly property: string;
  /** The property that holds the `$case` union, when the field is part of one. */
  readonly oneof?: string;
};

export interface MethodTypes {
  readonly request: string;
  readonly response: string;
}
