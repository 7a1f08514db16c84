import manifest from '../package.json' with { type: 'json' };

/** One version for every package and image. */
export const version: string = manifest.version;
