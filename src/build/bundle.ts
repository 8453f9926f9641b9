import { join } from 'node:path';
import { build, type OutputFile } from 'esbuild';

// Bundled CommonJS packages call require(), which ES modules do not have.
const requireForModules = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** Bundles the app into ES modules, in memory; what is imported dynamically becomes a file of its own. */
export async function bundle(root: string, outdir: string): Promise<OutputFile[]> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, 'src/index.ts')],
    outdir,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // SDKs put the names of their classes into User-Agent and errors.
    minify: true,
    keepNames: true,
    legalComments: 'linked',
    // The language worker provides it.
    external: ['@azure/functions-core'],
    banner: { js: requireForModules },
    logLevel: 'error',
  });
  refuseLocalFiles(Object.keys(metafile.inputs));
  return outputFiles;
}

function refuseLocalFiles(inputs: string[]): void {
  const local = inputs.filter((input) => /^src\/(?:local|models)\/|node_modules\/@azure\/arm-/.test(input));
  if (local.length > 0) {
    throw new Error(`These are a developer's machine's only and must not be deployed: ${local.join(', ')}`);
  }
}
