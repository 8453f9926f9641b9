import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../src/dev/build/build.ts';

/** Node's major that the app is made for; npm brings it as the dev-dependency `node`. */
const NODE_MAJOR = 24;

/** Once for the whole run, before the first test: the right Node, and a fresh `dist/`, which the end-to-end tests serve. */
export default async function setup(): Promise<() => Promise<void>> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR) {
    throw new Error(
      `The tests run on Node ${process.versions.node}, not ${NODE_MAJOR}. Run them with npm test, after npm install with scripts allowed.`,
    );
  }
  await build();
  // The tests start the app, Azurite and other programs hundreds of times: Node compiles their code only once.
  const folder = await mkdtemp(join(tmpdir(), 'compiled-'));
  process.env['NODE_COMPILE_CACHE'] = folder;
  return async () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
