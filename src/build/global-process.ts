import type { Plugin } from 'esbuild';

/**
 * Lets `import process from 'node:process'` mean the global of that name. Node makes the list of that module's exports
 * by asking for each, and so opens the three standard streams: 10 ms of a cold start.
 */
export const globalProcess: Plugin = {
  name: 'global-process',
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?process$/ }, ({ kind }) => (kind === 'import-statement' ? { path: 'process', namespace: 'global-process' } : undefined));
    build.onLoad({ filter: /./, namespace: 'global-process' }, () => ({ contents: 'export default globalThis.process;' }));
  },
};
