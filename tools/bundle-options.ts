import type { BuildOptions } from 'esbuild';

/** CommonJS dependencies (grpc-js among them) call require for Node's own modules, which an ES module must provide. */
const requireShim = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** How a program becomes one file, with what is loaded only sometimes in chunks beside it. */
export const bundleOptions = {
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  // Identifiers stay: stack traces name what they are about. With keepNames over short ones instead, each function that is made
  // while the program runs costs a call of Object.defineProperty, which was 8 % of a start on a full cluster.
  minifyWhitespace: true,
  minifySyntax: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  banner: { js: requireShim },
  logLevel: 'warning',
} as const satisfies BuildOptions;
