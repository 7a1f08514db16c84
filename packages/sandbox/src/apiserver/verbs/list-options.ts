import type { FieldError } from '../field-errors.ts';
import { forbiddenField, invalidValue, notSupported } from '../field-errors.ts';
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
    resourceVersion: readResourceVersion(query.get('resourceVersion') ?? ''),
    resourceVersionMatch: match === 'Exact' || match === 'NotOlderThan' ? match : '',
    isWatch: isTrue(query.get('watch')),
    allowsBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendsInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: readInteger(query, 'timeoutSeconds'),
  };
  errors.push(...(options.isWatch ? watchErrors(options) : listErrors(options)));
  if (errors.length > 0) {
    const text = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
    throw new ApiError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${text}`, {
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
  if (continueToken !== '') {
    errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden with a continue token'));
  }
  if (resourceVersion === undefined) {
    errors.push(
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (match === 'Exact' && resourceVersion === 0) {
    const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    errors.push(forbiddenField('resourceVersionMatch', why));
  }
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, sendsInitialEvents } = options;
  if (sendsInitialEvents === undefined) {
    if (match === '') return [];
    const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    return [forbiddenField('resourceVersionMatch', why)];
  }
  const errors: FieldError[] = [];
  if (match !== 'NotOlderThan') {
    const why = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    errors.push(forbiddenField('resourceVersionMatch', why));
  }
  if (options.continueToken !== '')
    errors.push(invalidValue('continue', options.continueToken, 'is forbidden for watch'));
  return errors;
}

export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1' || text === '';
}

function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax (${name})`);
  return Number(text);
}

function readResourceVersion(text: string): number | undefined {
  if (text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: invalid syntax`);
  }
  return Number(text);
}
