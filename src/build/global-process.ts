import type { Edit } from './edited-sources.ts';

/**
 * Lets `import process from 'node:process'` mean the global of that name. Node makes the list of that module's exports
 * by asking for each, and so opens the three standard streams: 10 ms of a cold start.
 */
export const globalProcess: Edit = {
  file: /[\\/]node_modules[\\/].*\.m?js$/,
  edit: (source) => source.replaceAll(/^import (\w+) from ['"](?:node:)?process['"];?$/gm, 'const $1 = globalThis.process;'),
};
