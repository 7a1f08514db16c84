import type { FieldError } from '../field-errors.ts';
import { forbiddenField, notSupported } from '../field-errors.ts';
import { ApiError, badRequest } from '../status.ts';

/** The query of a list or a watch, read and checked. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit: number;
  readonly continueToken: string;
  /** undefined: not given. 0: "any". */
  readonly resourceVersion: number | undefined;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  readonly isWatch: boolean;
  readonly allowsBookmarks: boolean;
  readonly sendsInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export function readListOptions(query: URLSearchParams): ListOptions {
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.get('sendInitialEvents');
  const errors: FieldError[] = [];
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
  }
  const options: ListOptions = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: readInteger(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    resourceVersion: readResourceVersion(query.get('resourceVersion') ?? '', isTrue(query.get('watch'))),
    resourceVersionMatch: match === 'Exact' || match === 'NotOlderThan' ? match : '',
    isWatch: isTrue(query.get('watch')),
    allowsBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendsInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: readInteger(query, 'timeoutSeconds'),
  };
  errors.push(...(options.isWatch ? watchErrors(options) : listErrors(options)));
  if (errors.length > 0) {
    const text = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
    const what = errors.length === 1 ? text : `[${text}]`;
    throw new ApiError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${what}`, {
      group: 'meta.k8s.io',
      kind: 'ListOptions',
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    });
  }
  return options;
}

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion, continueToken } = options;
  const errors: FieldError[] = [];
  if (options.sendsInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (match === '') return errors;
  if (resourceVersion === undefined) {
    errors.push(
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (continueToken !== '') {
    errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (match === 'Exact' && resourceVersion === 0) {
    const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    errors.push(forbiddenField('resourceVersionMatch', why));
  }
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, sendsInitialEvents } = options;
  const whyNot = 'resourceVersionMatch is forbidden when continue is provided';
  const continued = options.continueToken === '' ? [] : [forbiddenField('resourceVersionMatch', whyNot)];
  if (sendsInitialEvents === undefined) {
    if (match === '') return continued;
    const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    return [forbiddenField('resourceVersionMatch', why)];
  }
  const errors: FieldError[] = [];
  if (match !== 'NotOlderThan') {
    const why = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    errors.push(forbiddenField('resourceVersionMatch', why));
  }
  if (match !== '' && match !== 'NotOlderThan')
    errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
  return [...errors, ...continued];
}

/** As Go's apimachinery reads a flag in a query: what is not false is true, an empty one too. */
export function isTrue(text: string | null): boolean {
  return text !== null && !['false', '0'].includes(text.toLowerCase());
}

function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

export function readResourceVersion(text: string, isWatch: boolean): number | undefined {
  if (text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    const quoted = JSON.stringify(text);
    const why = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
    // A watch fails where upstream has no status for it any more.
    throw isWatch ? new ApiError(500, '', why) : badRequest(`invalid resource version: ${why}`);
  }
  return Number(text);
}
