import { build } from 'esbuild';

export interface ClientBundle {
  /** One ES module, minified. */
  readonly code: string;
  /** The files that it was made of. */
  readonly modules: readonly string[];
}

/**
 * Bundles `sekali/client` as its users' tools do for a browser, from `dist`, where the program has to be built. What is not there in a
 * browser, as `node:fs`, cannot be resolved, and is an error.
 */
export async function bundleClient(): Promise<ClientBundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: ['dist/client/index.js'],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    // Since 2024 in all of them: Promise.withResolvers and AbortSignal.any are used as they are.
    target: ['chrome119', 'firefox124', 'safari17.4'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  return { code: outputFiles[0]!.text, modules: Object.keys(metafile.inputs) };
}
