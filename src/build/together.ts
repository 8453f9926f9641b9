import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { Edit } from './edited-sources.ts';

/** What several parts need, registration or the first answer among them, and is small. */
export const SHARED: readonly string[] = [
  'src/azure/credential-chain.ts',
  'src/azure/endpoint.ts',
  'src/azure/no-token.ts',
  'src/deadline.ts',
  'src/environment.ts',
  'src/free.ts',
  'src/http/invalid-request.ts',
  'src/http/openai-error.ts',
  'src/http/problem-response.ts',
  'src/image/faults.ts',
  'src/image/image.ts',
  'src/image/naming.ts',
  'src/once.ts',
  'src/problem.ts',
  'src/settings.ts',
  'src/version.ts',
];

const NAME = 'together';

/**
 * Puts modules into one file. esbuild makes one for each set of the bundle's parts that share something: a dozen, most of a
 * kilobyte or less, and a cold start has to find and to read each. What every file of ours imports, all parts share.
 */
export function together(root: string, modules: readonly string[]): { readonly plugin: Plugin; readonly edit: Edit } {
  const files = new Set(modules.map((path) => join(root, path)));
  return {
    plugin: {
      name: NAME,
      setup(build) {
        build.onResolve({ filter: /^together$/ }, ({ path }) => ({ path, namespace: NAME }));
        build.onLoad({ filter: /./, namespace: NAME }, () => ({ contents: modules.map((path) => `import './${path}';`).join('\n'), resolveDir: root }));
      },
    },
    edit: {
      file: /[\\/]src[\\/].*\.ts$/,
      // Not by esbuild's `inject`: that has CommonJS packages import it, too, and wraps the modules in functions for them.
      edit: (source, path) => (modules.length === 0 || files.has(path) ? source : `import '${NAME}';\n${source}`),
    },
  };
}
