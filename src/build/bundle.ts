import { join } from 'node:path';
import { build, type Metafile, type OutputFile } from 'esbuild';
import { classNames } from './class-names.ts';
import { directImports } from './direct-imports.ts';
import { editedSources } from './edited-sources.ts';
import { globalProcess } from './global-process.ts';
import { lateJsonWebToken } from './late-jsonwebtoken.ts';
import { lateEntryPoints, lateImports, type LateParts, lateParts } from './late-parts.ts';
import { playground } from './playground.ts';
import { together } from './together.ts';
import { unusedOpenAi } from './unused-openai.ts';

/** What bundled CommonJS packages and late parts call, and ES modules do not have. */
const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);\n";

/** A file of a bundle, in memory. */
export interface BundledFile {
  readonly path: string;
  readonly text: string;
}

/** A bundle, in memory. */
export interface Bundle {
  readonly files: readonly BundledFile[];
  /** Which sources went into it. */
  readonly metafile: Metafile;
  /** Comments about copyright that stood in the sources. */
  readonly legalComments: readonly string[];
}

/**
 * Bundles the app into ES modules; what is imported dynamically becomes a file of its own.
 *
 * @param shared - modules of which one file is made, paths from the root
 * @param late - classes that are loaded when one of them is first made
 */
export async function bundle(root: string, outdir: string, shared: readonly string[] = [], late: LateParts = {}): Promise<Bundle> {
  const ofPage: Metafile[] = [];
  const all = together(root, shared);
  const edits = [classNames, globalProcess, ...lateImports(late), lateJsonWebToken, ...unusedOpenAi, directImports, all.edit];
  const { outputFiles, metafile: ofApp, warnings } = await build({
    absWorkingDir: root,
    entryPoints: { index: join(root, 'src/index.ts'), ...lateEntryPoints(late) },
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
    plugins: [lateParts(late), editedSources(edits), all.plugin, playground(root, (part) => ofPage.push(part))],
    // The language worker provides it.
    external: ['@azure/functions-core'],
    logLevel: 'error',
  });
  // What was emptied or replaced on purpose is to be missed by nobody.
  const missed = warnings.filter(({ id }) => id === 'import-is-undefined');
  if (missed.length > 0) throw new Error(`Something is imported that the bundle does not have: ${missed.map(({ text }) => text).join(' ')}`);
  const metafile = merge([ofApp, ...ofPage]);
  refuseLocalFiles(Object.keys(metafile.inputs));
  return {
    files: outputFiles.filter((file) => !isLegal(file)).map(withRequire),
    metafile,
    legalComments: outputFiles.filter(isLegal).map(({ text }) => text),
  };
}

/** Where it is called, which is in one file of them all: making it takes a cold start a quarter of a millisecond each time. */
function withRequire({ path, text }: OutputFile): BundledFile {
  return { path, text: /\brequire(?:\(|\.apply\()/.test(text) ? REQUIRE + text : text };
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
