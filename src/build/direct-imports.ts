import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginBuild } from 'esbuild';
import type { Edit } from './edited-sources.ts';

/** These say that loading them does nothing but define what they export ("sideEffects": false), or do so without saying it: msal-node. */
const PACKAGES = /^(?:@azure\/(?:identity|msal-node|msal-common\/node|core-client|core-rest-pipeline|core-util)|@typespec\/ts-http-runtime(?:\/.*)?)$/;

/** `import { a, b as c } from 'package'`, or the same with export. */
const STATEMENT = /^(import|export) \{([^}]*)\} from ['"]([^'"]*)['"];$/gm;

/** What an index makes of a whole file; what else it passes on are statements like those. */
const WHOLE_FILE = /^import \* as (\w+) from ['"](\.[^'"]*)['"];$/gm;
const NAMED_SO = /^export \{ (\w+)(?: as (\w+))? \};$/gm;

/** Where an export of a package is: a name in a file, or all that the file exports. */
interface Origin {
  readonly file: string;
  readonly name: string | undefined;
}

/**
 * Lets imports from a package's index lead straight to the file that has what is imported. A file is put into every part
 * of the bundle from which esbuild can get to it, used there or not, and from an index it gets everywhere: all ways of
 * signing in would be loaded where one is needed. What it cannot make out stays as it is, which is right, too.
 */
export const directImports: Edit = {
  file: /[\\/]@azure[\\/](?:identity|msal-node|core-client|core-rest-pipeline|core-util)[\\/]|[\\/]src[\\/](?:azure|telemetry)[\\/]/,
  async edit(source, path, build) {
    const indexes = new Map<string, ReadonlyMap<string, Origin>>();
    for (const [, , , from = ''] of source.matchAll(STATEMENT)) {
      if (PACKAGES.test(from)) indexes.set(from, await originsOf(from, path, build));
    }
    return source.replaceAll(STATEMENT, (statement, keyword: string, names: string, from: string) => {
      const index = indexes.get(from);
      if (!index) return statement;
      return namesIn(names)
        .map(({ name, as }) => direct(keyword, as, index.get(name)) ?? `${keyword} { ${name} as ${as} } from '${from}';`)
        .join('\n');
    });
  },
};

function direct(keyword: string, as: string, origin: Origin | undefined): string | undefined {
  if (!origin) return undefined;
  return `${keyword} ${origin.name ? `{ ${origin.name} as ${as} }` : `* as ${as}`} from ${JSON.stringify(origin.file)};`;
}

async function originsOf(name: string, importer: string, build: PluginBuild): Promise<ReadonlyMap<string, Origin>> {
  const { path, errors } = await build.resolve(name, { importer, resolveDir: dirname(importer), kind: 'import-statement' });
  if (errors.length > 0) throw new Error(`${importer} imports ${name}, which is not installed.`);
  const index = await readFile(path, 'utf8');
  const origins = new Map<string, Origin>();

  const wholes = new Map([...index.matchAll(WHOLE_FILE)].map(([, local = '', from = '']) => [local, join(dirname(path), from)]));
  for (const [, local = '', as = local] of index.matchAll(NAMED_SO)) {
    const file = wholes.get(local);
    if (file) origins.set(as, { file, name: undefined });
  }
  for (const [, , names = '', from = ''] of index.matchAll(STATEMENT)) {
    const further = PACKAGES.test(from) ? await originsOf(from, path, build) : undefined;
    for (const { name: exported, as } of namesIn(names)) {
      const origin = from.startsWith('.') ? { file: join(dirname(path), from), name: exported } : further?.get(exported);
      if (origin) origins.set(as, origin);
    }
  }
  return origins;
}

/** Types are none: TypeScript's compiler leaves nothing of them. */
function namesIn(list: string): { name: string; as: string }[] {
  const names = list.split(',').map((each) => each.trim());
  return names
    .filter((each) => each !== '' && !each.startsWith('type '))
    .map((each) => {
      const [name = '', as = name] = each.split(' as ');
      return { name, as };
    });
}
