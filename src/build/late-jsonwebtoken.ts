import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

const IMPORT = "import jwt from 'jsonwebtoken';";
const LATE = "const jwt = { sign: (...given) => require('jsonwebtoken').sign(...given) };";

/**
 * Lets `jsonwebtoken` be set up when MSAL first signs with it, which it does for certificates alone. It compares versions
 * of Node as it is set up, and that was a quarter of the time which `@azure/identity` takes to load.
 */
export const lateJsonWebToken: Plugin = {
  name: 'late-jsonwebtoken',
  setup(build) {
    build.onLoad({ filter: /[\\/]msal-node[\\/].*[\\/]ClientAssertion\.mjs$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes(IMPORT)) throw new Error(`${path} imports jsonwebtoken no more: see whether this plugin is still of use.`);
      return { contents: source.replace(IMPORT, LATE), loader: 'js' };
    });
  },
};
