import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../src/dev/build/build.ts';

/** The major version of Node that the app is made for. npm installs it as the dev dependency `node`. */
const NODE_MAJOR = 24;

/**
 * Runs once, before the first test: checks the version of Node, and builds `dist/`, which the end-to-end tests serve.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR) {
    throw new Error(
      `The tests need Node ${NODE_MAJOR} or newer, but run on Node ${process.versions.node}. Run "npm install" with ` +
        'install scripts allowed, then "npm test".',
    );
  }
  await build();
  // The tests start the app, Azurite and other programs hundreds of times. The cache saves compiling each time.
  const folder = await mkdtemp(join(tmpdir(), 'compiled-'));
  process.env['NODE_COMPILE_CACHE'] = folder;
  return async () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
