import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin, PluginBuild } from 'esbuild';
import type { Edit } from './edited-sources.ts';

/** Classes that are loaded when one of them is first made. */
export interface LatePart {
  readonly package: string;
  /** The files that import the classes, from the package's index. The first imports them all. */
  readonly importers: readonly [string, ...string[]];
  readonly classes: RegExp;
}

/** By the name of the file that they get. */
export type LateParts = Readonly<Record<string, LatePart>>;

/** What a managed identity that is asked for a token has no use for. */
export const LATE: LateParts = {
  // All ways of signing in but a managed identity: more than a third of what @azure/identity and MSAL are.
  credentials: {
    package: '@azure/identity',
    importers: ['credentials/defaultAzureCredentialFunctions.js', 'credentials/managedIdentityCredential/tokenExchangeMsi.js'],
    classes: /^(?!ManagedIdentity)\w+Credential$/,
  },
  // Needed where HTTP_PROXY or HTTPS_PROXY is set; they come with node:assert, node:tls and a logger for terminals.
  proxies: { package: '@typespec/ts-http-runtime', importers: ['policies/proxyPolicy.js'], classes: /^Https?ProxyAgent$/ },
};

const IMPORT = /^import \{ (\w+) \} from "([^"]+)";$/gm;
const PREFIX = 'late:';

/** What the late parts are built from, by the names of their files: entry points, though nothing begins there. */
export function lateEntryPoints(parts: LateParts): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(parts).map((part) => [part, `${PREFIX}${part}`]));
}

/** Gives each late part a file of its own beside the others. It shares with them what they have of it. */
export function lateParts(parts: LateParts): Plugin {
  return {
    name: 'late-parts',
    setup(build) {
      build.onResolve({ filter: /^late:/ }, ({ path, kind }) =>
        kind === 'entry-point' ? { path, namespace: 'late' } : { path: `./${path.slice(PREFIX.length)}.js`, external: true },
      );
      build.onLoad({ filter: /./, namespace: 'late' }, async ({ path }) => {
        const late = parts[path.slice(PREFIX.length)];
        if (!late) throw new Error(`There is no ${path}.`);
        const importer = join(await directoryOf(late.package, build), late.importers[0]);
        const imports = importsOf(await readFile(importer, 'utf8'), late);
        if (imports.length === 0) throw new Error(`${importer} imports no ${String(late.classes)} any more: see whether they are still to be late.`);
        return { contents: imports.map(({ name, from }) => `export { ${name} } from '${from}';`).join('\n'), resolveDir: dirname(importer) };
      });
    },
  };
}

/**
 * Puts functions in the place of the classes, which load the part as they are called with `new`. They may do so at once,
 * since what a Node of today requires may be an ES module: https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
 */
export function lateImports(parts: LateParts): readonly Edit[] {
  return Object.entries(parts).map(([part, late]) => ({
    file: new RegExp(late.importers.map((importer) => `[\\\\/]${importer.replaceAll('/', '[\\\\/]').replaceAll('.', '\\.')}$`).join('|')),
    edit: (source) =>
      importsOf(source, late).reduce(
        (edited, { name, statement }) => edited.replace(statement, `function ${name}(...given) { return new (require('${PREFIX}${part}').${name})(...given); }`),
        source,
      ),
  }));
}

function importsOf(source: string, { classes }: LatePart): { statement: string; name: string; from: string }[] {
  return [...source.matchAll(IMPORT)].map(([statement, name = '', from = '']) => ({ statement, name, from })).filter(({ name }) => classes.test(name));
}

async function directoryOf(name: string, build: PluginBuild): Promise<string> {
  const { path } = await build.resolve(name, { kind: 'import-statement', resolveDir: build.initialOptions.absWorkingDir ?? '' });
  return dirname(path);
}
