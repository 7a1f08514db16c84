export const layouts = ['separate', 'combined'] as const;
export type Layout = (typeof layouts)[number];

export interface Options {
  readonly layouts: readonly Layout[];
  /** Part of the names of the checks to run; empty: all. */
  readonly only: string;
  /** The images are there from a run before. */
  readonly hasImages: boolean;
}

/** @returns what is wrong, where something is */
export function parseOptions(args: readonly string[]): Options | string {
  let chosen: readonly Layout[] = layouts;
  let only = '';
  let hasImages = false;
  for (const arg of args) {
    const [name, value = ''] = arg.split('=', 2);
    const layout = layouts.find((each) => each === value);
    if (name === '--layout' && layout !== undefined) chosen = [layout];
    else if (arg === '--no-images') hasImages = true;
    else if (name === '--only' && value !== '') only = value;
    else return `unknown argument ${arg}; there are --layout=separate|combined, --only=WORDS and --no-images`;
  }
  return { layouts: chosen, only, hasImages };
}
