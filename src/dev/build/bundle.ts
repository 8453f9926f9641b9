import { build, type Metafile, type OutputFile } from 'esbuild';
import { playground } from './playground.ts';

/** Bundled CommonJS packages call `require`, which ES modules do not have. */
const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

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
  /** Copyright comments found in the sources. */
  readonly legalComments: readonly string[];
}

/**
 * What starts by itself: the app for the Functions host, the app as a server, and its threads. By name in
 * `outdir`, the source below the root.
 */
const ENTRIES = {
  index: 'src/index.ts',
  server: 'src/server.ts',
  'schema-worker': 'src/vision/schema-worker.ts',
  'decoder-worker': 'src/image/decoder-worker.ts',
};

/** Bundles the app into ES modules. Each dynamically imported module becomes a file of its own. */
export async function bundle(
  root: string,
  outdir: string,
  entries: Readonly<Record<string, string>> = ENTRIES,
): Promise<Bundle> {
  const ofPage: Metafile[] = [];
  const { outputFiles, metafile: ofApp } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minify: true,
    // The OpenAI client sends its class name in User-Agent, and @azure/identity logs its classes' names.
    keepNames: true,
    // A logged stack then names the source line. The sources themselves are not shipped.
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'external',
    plugins: [playground(root, (part) => ofPage.push(part))],
    // The Functions language worker provides it.
    external: ['@azure/functions-core'],
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  const metafile = merge([ofApp, ...ofPage]);
  refuseDeveloperFiles(Object.keys(metafile.inputs));
  return {
    files: outputFiles.filter((file) => !isLegal(file)).map(({ path, text }) => ({ path, text })),
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

function refuseDeveloperFiles(inputs: string[]): void {
  const found = inputs.filter((input) => /^src\/dev\/|node_modules\/@azure\/arm-/.test(input));
  if (found.length > 0) {
    throw new Error(`These files are for a developer's machine and must not be deployed: ${found.join(', ')}`);
  }
}
