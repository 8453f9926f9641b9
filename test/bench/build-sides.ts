import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { playground } from '../../src/build/playground.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inside node_modules, so that what is not bundled finds its packages, and nobody commits it. */
const CACHE = join(ROOT, 'node_modules/.cache/bench');
const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** What is loaded only where telemetry is switched on is no part of anybody's start. */
const OPT_IN = ['./telemetry/recorder.ts'];

/** Where temporary files go. */
export const TEMPORARY = join(CACHE, 'tmp');

/** The directory of a built app. */
export function builtDir(app: string): string {
  return app === 'this project' ? join(ROOT, 'dist') : join(CACHE, app);
}

/** Builds all that this project is compared with; `dist/` is there already. */
export async function buildSides(): Promise<void> {
  await rm(CACHE, { recursive: true, force: true });
  await mkdir(TEMPORARY, { recursive: true });
  await buildApp('tutorial', { entry: 'test/bench/sides/tutorial.ts', bundled: true });
  await buildApp('shared client', { entry: 'test/bench/sides/shared-client.ts', bundled: true });
  await buildApp('floor', { entry: 'test/bench/sides/floor.ts', bundled: true });
  await buildApp('empty', { entry: 'test/bench/sides/empty.ts', bundled: true });
  await buildApp('unbundled', { entry: 'src/index.ts', bundled: false });
}

/** Removes all that a run left behind. */
export async function removeSides(): Promise<void> {
  await rm(CACHE, { recursive: true, force: true });
}

/** @param bundled - else its packages stay where they are, and all are imported at the start */
async function buildApp(app: string, { entry, bundled }: { entry: string; bundled: boolean }): Promise<void> {
  const dir = builtDir(app);
  await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: join(dir, 'index.js'),
    bundle: true,
    ...(bundled ? { external: ['@azure/functions-core'], minify: true, keepNames: true } : { packages: 'external', external: OPT_IN }),
    plugins: [playground(ROOT, () => undefined)],
    format: 'esm',
    platform: 'node',
    target: 'node22',
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  await cp(join(ROOT, 'host.json'), join(dir, 'host.json'));
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
}
