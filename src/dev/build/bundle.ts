import { build, type Metafile, type OutputFile } from 'esbuild';
import { playground } from './playground.ts';

/** Bundled CommonJS packages call `require`, which ES modules do not have. */
const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** A file of a bundle that is not written yet. */
export interface BundledFile {
  readonly path: string;
  readonly text: string;
}

/** A bundle that is not written yet. */
export interface Bundle {
  readonly files: readonly BundledFile[];
  /** esbuild's list of the sources in the bundle. */
  readonly metafile: Metafile;
  /** Copyright comments from the sources. */
  readonly legalComments: readonly string[];
}

/** Entry points, by name in `outdir`: the app for the Functions host, the app as a server, and the worker threads. */
const ENTRIES = {
  index: 'src/index.ts',
  server: 'src/server.ts',
  'schema-worker': 'src/vision/schema-worker.ts',
  'decoder-worker': 'src/image/decoder-worker.ts',
};

/**
 * Bundles the app into ES modules. Each dynamically imported module becomes a separate file.
 * @throws {Error} if the app imports code from `src/dev/`
 */
export async function bundle(
  root: string,
  outdir: string,
  entries: Readonly<Record<string, string>> = ENTRIES,
): Promise<Bundle> {
  const pageMetafiles: Metafile[] = [];
  const { outputFiles, metafile: appMetafile } = await build({
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
    // Names stay as they are: the OpenAI client sends the name of its class in User-Agent, and other libraries log theirs.
    // `keepNames` would set the name of each function again whenever the function is made, dozens of times a request.
    minifyWhitespace: true,
    minifySyntax: true,
    // With a source map, a logged stack names the source line. The sources themselves are not deployed.
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'external',
    plugins: [playground(root, (part) => pageMetafiles.push(part))],
    // The Functions language worker provides this module.
    external: ['@azure/functions-core'],
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  const metafile = merge([appMetafile, ...pageMetafiles]);
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
