import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { still } from '../../images/still.ts';
import { startBoth } from '../app.ts';
import { ask } from '../ask.ts';
import { startCollector } from './collector.ts';

const DIST = new URL('../../../dist/', import.meta.url).href;
/** Prints each file of the bundle as it is loaded. */
const SHOW_LOADED = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { if (url.startsWith('${DIST}')) process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`;
/** Strings of the SDKs that a minifier keeps. */
const OPENTELEMETRY = /BatchSpanProcessor|OTEL_|gen_ai\.|InstrumentationKey/;

test('without a destination, no code of OpenTelemetry is loaded', async () => {
  const loaded = await loadedWith({});
  expect(loaded.map(({ name }) => name)).toContain('index.js');
  expect(loaded.length).toBeGreaterThan(5);
  expect(telemetryIn(loaded)).toEqual([]);
});

test("with an OTLP destination, OpenTelemetry is loaded, but Azure Monitor's exporter is not", async () => {
  const collector = await startCollector();
  const [without, loaded] = [await loadedWith({}), await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })];
  expect(telemetryIn(loaded).length).toBeGreaterThan(2);
  expect(loaded.filter(({ code }) => code.includes('InstrumentationKey'))).toEqual([]);
  expect(loaded.map(({ name }) => name)).toEqual(expect.arrayContaining(without.map(({ name }) => name)));
});

interface Loaded {
  readonly name: string;
  readonly code: string;
}

async function loadedWith(env: Record<string, string>): Promise<Loaded[]> {
  const { app, azure } = await startBoth({
    ...env,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SHOW_LOADED)}`,
  });
  await ask(app.url, await still('image/png', 8, 8));
  await app.stop();
  azure.close();
  const urls = [...app.output().matchAll(/^loaded (file:\S+)$/gm)].map(([, url]) => url ?? '');
  return Promise.all(
    urls.map(async (url) => ({ name: basename(url), code: await readFile(fileURLToPath(url), 'utf8') })),
  );
}

function telemetryIn(loaded: readonly Loaded[]): string[] {
  // The app's own code, which has the route zzNotFound, also names OpenTelemetry's variables.
  return loaded.filter(({ code }) => !code.includes('zzNotFound') && OPENTELEMETRY.test(code)).map(({ name }) => name);
}
