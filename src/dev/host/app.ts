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

/** Makes `import` and `require` of `@azure/functions-core` load this host's module. */
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

/** A built app after its import, with its functions. */
export interface App {
  model: ProgrammingModel;
  routes: Route[];
  queues: QueueFunction[];
  queueSettings: v.InferOutput<typeof QueueSettings>;
}

/**
 * Imports the app of a directory as the language worker does: it provides `@azure/functions-core`, and imports the
 * `main` file of package.json.
 * @throws {Error} if the app is not built, or registers no function
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
