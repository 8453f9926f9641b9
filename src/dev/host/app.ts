import { registerHooks } from 'node:module';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { QueueSettings } from './queue-options.ts';
import type { QueueFunction } from './queue-trigger.ts';
import { type ProgrammingModel, registry } from './registry.ts';
import { type Route, routesOf } from './route.ts';

const core = new URL('./functions-core.ts', import.meta.url).href;

/** From here on, `@azure/functions-core` is this host's, for `import` and `require` alike. */
function provideFunctionsCore(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === '@azure/functions-core'
        ? { url: core, format: 'module-typescript', shortCircuit: true }
        : nextResolve(specifier, context),
  });
}

const packageJson = v.object({ main: v.string() });
const hostJson = v.object({
  extensions: v.optional(
    v.object({ http: v.optional(v.object({ routePrefix: v.optional(v.string()) })), queues: QueueSettings }),
    {},
  ),
});

/** A built app, imported and indexed. */
export interface App {
  model: ProgrammingModel;
  routes: Route[];
  queues: QueueFunction[];
  queueSettings: v.InferOutput<typeof QueueSettings>;
}

/**
 * Imports the app of a directory the way the language worker does: the file its package.json names as
 * `main`, with `@azure/functions-core` at hand.
 */
export async function loadApp(appDir: string): Promise<App> {
  const main = join(appDir, v.parse(packageJson, await readJson(join(appDir, 'package.json'))).main);
  const { extensions } = v.parse(hostJson, await readJson(join(appDir, 'host.json')));

  provideFunctionsCore();
  await import(pathToFileURL(main).href);
  if (!registry.model) {
    throw new Error(`${main} registered no function. Does it import '@azure/functions' and call app.http()?`);
  }
  return {
    model: registry.model,
    routes: routesOf(registry.functions.values(), extensions.http?.routePrefix),
    queues: [...registry.functions.values()].flatMap(({ metadata, callback }) =>
      Object.entries(metadata.bindings)
        .filter(([, { type }]) => type.toLowerCase() === 'queuetrigger')
        .map(([trigger]) => ({ metadata, callback, trigger })),
    ),
    queueSettings: extensions.queues,
  };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`Cannot read ${file}. Is the app built (npm run build)?`, { cause: error });
  }
}
