export type Arguments =
  | { readonly kind: 'given'; readonly names: readonly string[]; readonly only: string | undefined }
  | { readonly kind: 'wrong'; readonly message: string };

/** Names of sidecars, all when there are none, and `--only=TEXT` to look into single points. */
export function parseArguments(argv: readonly string[], known: readonly string[]): Arguments {
  const names = argv.filter((word) => !word.startsWith('--'));
  const flags = argv.filter((word) => word.startsWith('--'));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return { kind: 'wrong', message: `no sweep for "${unknown}"; there are: ${known.join(', ')}` };
  }
  const wrong = flags.find((flag) => !flag.startsWith('--only='));
  if (wrong !== undefined) return { kind: 'wrong', message: `unknown argument ${wrong}; there is --only=TEXT` };
  const only = flags.at(-1)?.slice('--only='.length);
  return { kind: 'given', names: names.length === 0 ? known : names, only };
}
