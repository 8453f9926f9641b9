import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { playground } from '../../src/dev/build/playground.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inside node_modules: packages that are not bundled are found from there, and git ignores it. */
const CACHE = join(ROOT, 'node_modules/.cache/bench');
/** Defines `require` in an ES module, for bundled CommonJS packages. */
const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** Bundles an app and its packages into one file. Only the module that the language worker provides stays out. */
const BUNDLED: BuildOptions = { external: ['@azure/functions-core'], minify: true, keepNames: true };

/** The directory for temporary files of the measured processes. */
export const TEMPORARY = join(CACHE, 'tmp');

/** The directory of a built app. */
export function builtDir(app: string): string {
  return app === 'this project' ? join(ROOT, 'dist') : join(CACHE, app);
}

/** Builds the apps that this project is compared with. `dist/` must have been built before. */
export async function buildSides(): Promise<void> {
  await rm(CACHE, { recursive: true, force: true });
  await mkdir(TEMPORARY, { recursive: true });
  await Promise.all([
    ...['tutorial', 'shared client', 'bare SDK', 'floor', 'empty'].map(async (side) =>
      buildApp(side, `test/bench/sides/${side.replace(' ', '-').toLowerCase()}.ts`, BUNDLED),
    ),
    buildApp('unbundled', 'src/index.ts', { packages: 'external', splitting: true }),
  ]);
}

/** Removes the built apps and the temporary files of a run. */
export async function removeSides(): Promise<void> {
  await rm(CACHE, { recursive: true, force: true });
}

async function buildApp(app: string, entry: string, options: BuildOptions): Promise<void> {
  const dir = builtDir(app);
  await build({
    ...options,
    absWorkingDir: ROOT,
    entryPoints: { index: entry },
    outdir: dir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    plugins: [playground(ROOT, () => {})],
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  await cp(join(ROOT, 'host.json'), join(dir, 'host.json'));
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
}
