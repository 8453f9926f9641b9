import { join } from 'node:path';
import { build, type Metafile, type OutputFile } from 'esbuild';
import { classNames } from './class-names.ts';
import { globalProcess } from './global-process.ts';
import { latePackages } from './late-packages.ts';
import { withoutOpenAiResources } from './openai-resources.ts';
import { playground } from './playground.ts';
import { together } from './together.ts';

// Bundled CommonJS packages call require(), which ES modules do not have.
const requireForModules = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** A bundle, in memory. */
export interface Bundle {
  readonly files: readonly OutputFile[];
  /** Which sources went into it. */
  readonly metafile: Metafile;
  /** Comments about copyright that stood in the sources. */
  readonly legalComments: readonly string[];
}

/**
 * Bundles the app into ES modules; what is imported dynamically becomes a file of its own.
 *
 * @param shared - modules of which one file is made, paths from the root
 */
export async function bundle(root: string, outdir: string, shared: readonly string[] = []): Promise<Bundle> {
  const ofPage: Metafile[] = [];
  const { outputFiles, metafile: ofApp, warnings } = await build({
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
    minify: true,
    legalComments: 'external',
    plugins: [classNames, globalProcess, latePackages, withoutOpenAiResources, together(root, shared), playground(root, (part) => ofPage.push(part))],
    // The language worker provides it.
    external: ['@azure/functions-core'],
    banner: { js: requireForModules },
    logLevel: 'error',
  });
  // What was emptied or replaced on purpose is to be missed by nobody.
  const missed = warnings.filter(({ id }) => id === 'import-is-undefined');
  if (missed.length > 0) throw new Error(`Something is imported that the bundle does not have: ${missed.map(({ text }) => text).join(' ')}`);
  const metafile = merge([ofApp, ...ofPage]);
  refuseLocalFiles(Object.keys(metafile.inputs));
  return {
    files: outputFiles.filter((file) => !isLegal(file)),
    metafile,
    legalComments: outputFiles.filter(isLegal).map(({ text }) => text),
  };
}

function merge(metafiles: readonly Metafile[]): Metafile {
  return {
    inputs: Object.fromEntries(metafiles.flatMap(({ inputs }) => Object.entries(inputs))),
    outputs: Object.fromEntries(metafiles.flatMap(({ outputs }) => Object.entries(outputs))),
  };
}

function isLegal({ path }: OutputFile): boolean {
  return path.endsWith('.LEGAL.txt');
}

function refuseLocalFiles(inputs: string[]): void {
  const local = inputs.filter((input) => /^src\/(?:local|models)\/|node_modules\/@azure\/arm-/.test(input));
  if (local.length > 0) {
    throw new Error(`These are a developer's machine's only and must not be deployed: ${local.join(', ')}`);
  }
}
