import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import newman, { type NewmanRunSummary } from 'newman';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { files } from '../postman/source/files.ts';
import { type App, startBoth } from './app.ts';
import { conforms } from './conforms.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const POSTMAN = `${ROOT}test/postman/`;

let app: App;
let azure: EmulatedAzure;
let storage: EmulatedStorage;
beforeAll(async () => {
  storage = await startStorage();
  ({ app, azure } = await startBoth({ ...storage.env, NODE_EXTRA_CA_CERTS: storage.caFile }));
  await storage.ready;
  for (const name of ['sailboat.jpg', 'sailboat-small.webp', 'sailboat-animated.gif'])
    await storage.images.getBlockBlobClient(name).uploadFile(`${ROOT}test/images/${name}`);
});
afterAll(async () => {
  await app.stop();
  await storage.close();
  azure.close();
});

test('the committed files match their source (to update them, run node test/postman/write.ts)', () => {
  for (const [name, text] of files) expect(readFileSync(`${POSTMAN}${name}`, 'utf8'), name).toBe(text);
});

test('every request of the collection passes its tests, and every response conforms to openapi.json', async () => {
  const { run } = await runCollection();
  expect(run.failures.map(({ source, error }) => `${source?.name}: ${error.message}`)).toEqual([]);
  expect(run.executions.length).toBeGreaterThan(20);
  for (const { item, request, response, assertions } of run.executions) {
    expect(assertions.length, `tests of "${item.name}"`).toBeGreaterThan(1);
    const headers = new Headers(response.headers.map(({ key, value }) => [key, value]));
    conforms({
      method: request.method,
      url: request.url.toString(),
      status: response.code,
      headers,
      text: response.text() ?? '',
    });
  }
});

test('the tests of every request in the folder Ask fail if the app answers 502', async () => {
  azure.model.fail({ status: 404 }, Infinity);
  const { run } = await runCollection('Ask');
  azure.reset();
  const failed = run.failures
    .filter(({ error }) => error.message.includes('status code 200 but got 502'))
    .map(({ source }) => source?.name);
  expect(failed).toEqual(run.executions.map(({ item }) => item.name));
});

async function runCollection(folder?: string): Promise<NewmanRunSummary> {
  return new Promise((resolve, reject) => {
    const options = {
      collection: `${POSTMAN}keyless-vision.postman_collection.json`,
      environment: `${POSTMAN}local.postman_environment.json`,
      envVar: [
        { key: 'baseUrl', value: app.url },
        { key: 'container', value: storage.images.url },
      ],
      workingDir: ROOT,
      timeoutRequest: 20_000,
      ...(folder ? { folder } : {}),
    };
    newman.run(options, (error, summary) => (error ? reject(error) : resolve(summary)));
  });
}
