export interface KubeErrorFields {
  /** HTTP status; 0 when no answer came. */
  status: number;
  /** metav1.StatusReason; empty when the failure was on the way to the server. */
  reason: string;
  message: string;
  retryAfterMs?: number;
  /** `details` of the metav1.Status as the server sent it: kind, name, causes. */
  details?: unknown;
  cause?: unknown;
}

/** The one error of this package's calls: an answer that Kubernetes refused, or no answer at all. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
  readonly details?: unknown;

  constructor(fields: KubeErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.reason = fields.reason;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    if (fields.details !== undefined) this.details = fields.details;
  }
}

export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound');
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict');
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
export const isInvalid = (error: unknown): boolean => hasReason(error, 'Invalid');
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden');
/** The resourceVersion or continue token is too old: list again. */
export const isExpired = (error: unknown): boolean => hasReason(error, 'Expired', 'Gone');

function hasReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof KubeError && reasons.includes(error.reason);
}
