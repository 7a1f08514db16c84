/** One line for people: the message, then those of its causes that say something new. Never a stack. */
export function errorMessage(error: unknown): string {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  for (let each = error; each !== undefined && each !== null && !seen.has(each); each = causeOf(each)) {
    seen.add(each);
    const text = ownMessage(each);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
  }
  return parts.length === 0 ? String(error) : parts.join(': ');
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function ownMessage(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error);
  if (error.message !== '') return error.message;
  // Node reports a refused connection to a name with two addresses as an AggregateError without a message.
  if (error instanceof AggregateError) return [...new Set(error.errors.map(errorMessage))].join('; ');
  return error.name;
}

function describeThrown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('message' in value && typeof value.message === 'string') return value.message;
  return Object.prototype.toString.call(value);
}
