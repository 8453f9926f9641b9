import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

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
  'node:process',
];

/**
 * Puts modules into one file. esbuild makes one for each set of the bundle's parts that share something: a dozen, most of a
 * kilobyte or less, and a cold start has to find and to read each. What is injected, all parts share.
 */
export function together(root: string, modules: readonly string[]): Plugin {
  return {
    name: 'together',
    setup(build) {
      build.initialOptions.inject = ['together'];
      build.onResolve({ filter: /^together$/ }, () => ({ path: 'together', namespace: 'together' }));
      build.onLoad({ filter: /.*/, namespace: 'together' }, () => ({ contents: modules.map((path) => `import '${isBuiltin(path) ? path : `./${path}`}';`).join('\n'), resolveDir: root }));
    },
  };
}
