// Reads the JUnit file that ginkgo, csi-sanity's test framework, writes. Pure.

export type SpecResult =
  | { readonly kind: 'passed'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string }
  | { readonly kind: 'skipped'; readonly name: string; readonly reason: string }
  /** Switched off in csi-sanity itself, for every driver. */
  | { readonly kind: 'pending'; readonly name: string };

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name ?? ''] ?? whole;
  });
}

function attribute(element: string, name: string): string {
  return unescape(new RegExp(`\\s${name}="([^"]*)"`).exec(element)?.[1] ?? '');
}

/**
 * One result per spec, in the order of the file. Set-up steps of the suite count only where they failed. Any status that is not known
 * (panicked, timed out, interrupted …) is a failure.
 * @throws Error for a text that is not such a report
 */
export function readJunitReport(text: string): SpecResult[] {
  if (!text.includes('</testsuites>')) throw new Error('the JUnit report of csi-sanity is missing or incomplete');
  const results: SpecResult[] = [];
  for (const [whole, opening = ''] of text.matchAll(/(<testcase\s[^>]*>)[\s\S]*?<\/testcase>/g)) {
    const title = attribute(opening, 'name');
    const isSpec = title.startsWith('[It] ');
    const result = resultOf(isSpec ? title.slice('[It] '.length) : title, attribute(opening, 'status'), whole);
    if (isSpec || result.kind === 'failed') results.push(result);
  }
  return results;
}

function resultOf(name: string, status: string, element: string): SpecResult {
  switch (status) {
    case 'passed':
      return { kind: 'passed', name };
    case 'pending':
      return { kind: 'pending', name };
    case 'skipped': {
      const message = attribute(/<skipped\s[^>]*>/.exec(element)?.[0] ?? '', 'message');
      return { kind: 'skipped', name, reason: message.replace(/^skipped - /, '') };
    }
    default: {
      const message = attribute(/<(?:failure|error)\s[^>]*>/.exec(element)?.[0] ?? '', 'message');
      return { kind: 'failed', name, message: message || status };
    }
  }
}
