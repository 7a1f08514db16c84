/** A request as a test sees it: who asks what of which object. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly userAgent: string;
  readonly user: string;
  /** 'create', 'list', 'watch', …; the method in small letters for a path that names no resource. */
  readonly verb: string;
  /** The plural, '' for a path that names no resource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** Parsed JSON, or the text when it is none; undefined without a body. */
  readonly body: unknown;
}

export interface RequestLogEntry extends SeenRequest {
  /** The status sent; 0 when the connection was dropped instead. */
  readonly status: number;
}

/**
 * What to do instead of the ordinary: answer this without doing the request, drop the connection before or after the
 * request has taken effect, or do it and keep the answer back.
 */
export type Intervention =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly drop: 'before' | 'after' }
  | { readonly holdReply: Promise<unknown> };

/** Returning undefined lets the request pass. A promise delays it. */
export type Interceptor = (request: SeenRequest) => Intervention | undefined | Promise<Intervention | undefined>;
