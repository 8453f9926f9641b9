import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import { type App, SERVED_BY, startApp, startBoth } from './app.ts';
import { get } from './ask.ts';

/** What the app asks callers for, if nothing else is set. */
const authLevel = SERVED_BY === 'server' ? 'anonymous' : 'function';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (each) => each.stop()));
});

test('is served as it is checked here, again and again', async () => {
  const app = await start();
  const expected: unknown = JSON.parse(JSON.stringify(openApiDocument({ limits: DEFAULT_LIMITS, authLevel })));
  expect((await get(app.url, 'openapi.json')).json()).toEqual(expected);
  expect((await get(app.url, 'openapi.json')).json()).toEqual(expected);
});

test('has every route that is served, and no other', async () => {
  const app = await start();
  const registered = SERVED_BY === 'server' ? await routesInProblem(app) : routesInGreeting(app);
  const { paths } = openApiDocument({ limits: DEFAULT_LIMITS, authLevel: 'function' });
  const documented = Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(registered.length).toBeGreaterThan(3);
  expect(documented.toSorted()).toEqual(registered.toSorted());
});

/** What the local host prints of the functions that were registered with it. */
function routesInGreeting(app: App): string[] {
  return [...app.output().matchAll(/^ {2}\w+: (\w+) http:\/\/[^/]+\/api(\/\S+)$/gm)].map(
    ([, method = '', path = '']) => `${method} ${path}`,
  );
}

/** The server prints no list of its routes, but it answers with one where there is no route. */
async function routesInProblem(app: App): Promise<string[]> {
  const { routes } = (await (await fetch(`${app.url}/api/nothing`)).json()) as { routes: string[] };
  return routes.map((route) => route.replace(' /api/', ' /'));
}

test('says what this deployment takes, and whether it asks for a key', async () => {
  const app = await start({ MAX_IMAGES: '3', MAX_INSTRUCTIONS: '77', HTTP_AUTH_LEVEL: 'anonymous' });
  expect((await get(app.url, 'openapi.json')).json()).toMatchObject({
    security: [],
    components: {
      securitySchemes: {},
      schemas: { Instructions: { maxLength: 77 }, JsonQuestion: { properties: { images: { maxItems: 3 } } } },
    },
  });
});

test('is there where the settings are wrong, in Azure', async () => {
  const app = await startApp({ WEBSITE_SITE_NAME: 'my-app' });
  running.push(app);
  expect((await get(app.url, 'openapi.json')).json()).toMatchObject({
    openapi: '3.1.1',
    security: authLevel === 'anonymous' ? [] : [{ functionKeyHeader: [] }, { functionKeyQuery: [] }],
  });
});

test('costs a start nothing: it stands in a file that is imported when it is asked for', () => {
  const files = readdirSync(DIST).filter((name) => name.endsWith('.js'));
  const text = (name: string): string => readFileSync(`${DIST}${name}`, 'utf8');
  const holding = files.filter((name) => text(name).includes('openapi:"3.1.1"'));
  expect(holding).toHaveLength(1);
  const importers = files.filter((name) => text(name).includes(`"./${holding[0]}"`));
  // Both ways of serving the app share the file that imports it.
  expect(importers).toHaveLength(1);
  expect(text(importers[0] ?? '')).toContain(`import("./${holding[0]}")`);
});

async function start(env: Record<string, string> = {}): Promise<App> {
  const { app, azure } = await startBoth(env);
  running.push(app, { stop: async () => azure.close() });
  return app;
}
