import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import { type App, SERVED_BY, startApp, startBoth } from './app.ts';
import { get } from './ask.ts';

/** The auth level if a test does not set HTTP_AUTH_LEVEL. */
const authLevel = SERVED_BY === 'server' ? 'anonymous' : 'function';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (each) => each.stop()));
});

test('GET openapi.json returns the document that the source builds, also the second time', async () => {
  const app = await start();
  const expected: unknown = JSON.parse(JSON.stringify(openApiDocument({ limits: DEFAULT_LIMITS, authLevel })));
  expect((await get(app.url, 'openapi.json')).json()).toEqual(expected);
  expect((await get(app.url, 'openapi.json')).json()).toEqual(expected);
});

test('the document lists every registered route and no other', async () => {
  const app = await start();
  const registered = SERVED_BY === 'server' ? await routesInNotFound(app) : routesInStartupOutput(app);
  const { paths } = openApiDocument({ limits: DEFAULT_LIMITS, authLevel: 'function' });
  const documented = Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(registered.length).toBeGreaterThan(3);
  expect(documented.toSorted()).toEqual(registered.toSorted());
});

/** The routes that the local Functions host prints when it starts. */
function routesInStartupOutput(app: App): string[] {
  return [...app.output().matchAll(/^ {2}\w+: (\w+) http:\/\/[^/]+\/api(\/\S+)$/gm)].map(
    ([, method = '', path = '']) => `${method} ${path}`,
  );
}

/** The server prints no list of its routes, but its answer to an unknown route contains one. */
async function routesInNotFound(app: App): Promise<string[]> {
  const { routes } = (await (await fetch(`${app.url}/api/nothing`)).json()) as { routes: string[] };
  return routes.map((route) => route.replace(' /api/', ' /'));
}

test('the document states the configured limits, and requires no key if HTTP_AUTH_LEVEL is anonymous', async () => {
  const app = await start({ MAX_IMAGES: '3', MAX_INSTRUCTIONS: '77', HTTP_AUTH_LEVEL: 'anonymous' });
  expect((await get(app.url, 'openapi.json')).json()).toMatchObject({
    security: [],
    components: {
      securitySchemes: {},
      schemas: { Instructions: { maxLength: 77 }, JsonQuestion: { properties: { images: { maxItems: 3 } } } },
    },
  });
});

test('in Azure, the document is served even if the settings are invalid', async () => {
  const app = await startApp({ WEBSITE_SITE_NAME: 'my-app' });
  running.push(app);
  expect((await get(app.url, 'openapi.json')).json()).toMatchObject({
    openapi: '3.1.1',
    security: authLevel === 'anonymous' ? [] : [{ functionKeyHeader: [] }, { functionKeyQuery: [] }],
  });
});

test('the document does not slow down startup: it is in a file of its own that is loaded with a dynamic import', () => {
  const files = readdirSync(DIST).filter((name) => name.endsWith('.js'));
  const text = (name: string): string => readFileSync(`${DIST}${name}`, 'utf8');
  const containing = files.filter((name) => text(name).includes('openapi:"3.1.1"'));
  expect(containing).toHaveLength(1);
  const importers = files.filter((name) => text(name).includes(`"./${containing[0]}"`));
  // The Functions entry and the server share the file that imports it.
  expect(importers).toHaveLength(1);
  expect(text(importers[0] ?? '')).toContain(`import("./${containing[0]}")`);
});

async function start(env: Record<string, string> = {}): Promise<App> {
  const { app, azure } = await startBoth(env);
  running.push(app, { stop: async () => azure.close() });
  return app;
}
