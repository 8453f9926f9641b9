import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * Empties the OpenAI client's resources (`client.images`, `client.videos` and some 150 more). Each is a property of the
 * client, so that no bundler may leave it out, but the app asks one path through the client itself: `client.post`. They
 * are most of the library, and every cold start would compile them.
 */
export const withoutOpenAiResources: Plugin = {
  name: 'without-openai-resources',
  setup(build) {
    build.onLoad({ filter: /[\\/]openai[\\/]resources[\\/].*\.mjs$/ }, async ({ path }) => {
      const classes = [...(await readFile(path, 'utf8')).matchAll(/^export class (\w+)/gm)].map(([, name]) => `export class ${name} {}`);
      // A file without any passes on what others export. What is neither, nobody is to need: the build fails then.
      return classes.length > 0 ? { contents: classes.join('\n'), loader: 'js' } : undefined;
    });
  },
};
