import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import { readDocument } from '../../documents.ts';
import { still } from '../../images/still.ts';
import { type App, startBoth } from '../app.ts';
import { keepSecret } from '../secrets.ts';
import { agentsClients } from './agents.ts';
import { aiSdkClients } from './ai-sdk.ts';
import type { Caller, Client } from './client.ts';
import { langChainClients } from './langchain.ts';
import { askWithDefaultTemperature, llamaIndexClients } from './llamaindex.ts';
import { openAiClients } from './openai.ts';

/** An address that is never called: the clients at it only give the tests their names. */
const NOWHERE: Caller = { base: 'http://127.0.0.1:1/api', headers: {} };
const KNOWN = clientsOf(NOWHERE);
const NAMES = KNOWN.map(({ name }) => name);
const QUESTION = 'What is in the picture of the harbour?';

let app: App;
let azure: EmulatedAzure;
let caller: Caller;
let clients: Map<string, Client>;
let image: string;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ FUNCTION_KEYS: 'on' }));
  const key = /x-functions-key: (\S+)/.exec(app.output())?.[1] ?? '';
  caller = { base: `${app.url}/api`, headers: { 'x-functions-key': key } };
  clients = new Map(clientsOf(caller).map((client) => [client.name, client]));
  const bytes = await still('image/png', 30, 20);
  keepSecret('image', bytes);
  keepSecret('words', QUESTION);
  image = `data:image/png;base64,${bytes.toString('base64')}`;
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

describe.each(NAMES)('%s', (name) => {
  const client = (): Client => {
    const found = clients.get(name);
    if (!found) throw new Error(`unknown client ${name}`);
    return found;
  };

  test('asks about an image, and the request to the model has no store, or store: false', async () => {
    expect(await client().ask(QUESTION, image)).toContain('PNG image of 30 x 20 pixels');
    const [request] = azure.model.requests;
    expect(request?.path).toMatch(/^\/openai\/(?:v1\/responses|deployments\/gpt-vision\/chat\/completions)$/);
    const isResponses = request?.path.endsWith('responses') === true;
    expect(request?.body).toMatchObject({ model: 'gpt-vision', ...(isResponses ? { store: false } : {}) });
    if (!isResponses) expect(request?.body).not.toHaveProperty('store');
  });

  test('streams an answer in pieces', async () => {
    const words = await client().stream(QUESTION, image);
    expect(words.length).toBeGreaterThan(5);
    expect(words.join('')).toContain(`PNG image of 30 x 20 pixels`);
  });

  test('gets an object that satisfies a schema', async () => {
    expect(await client().structured(QUESTION, image)).toEqual({
      name: expect.stringContaining('PNG image of 30 x 20 pixels'),
      sails: 2,
    });
  });

  test('calls a tool', async () => {
    expect(await client().tool('Ask get_weather about Kiel.')).toEqual({ place: expect.stringContaining('Kiel') });
  });

  test('throws an error that says what is wrong with an image, and asks once, without the model', async () => {
    const start = app.output().length;
    const noImage = `data:image/png;base64,${Buffer.from('This is a text.').toString('base64')}`;
    const error: unknown = await client()
      .ask(QUESTION, noImage)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(`${String(error)} ${JSON.stringify(error)}`).toMatch(/not .*image|unsupported_image_type/i);
    expect(azure.model.requests).toHaveLength(0);
    expect(await statusesSince(start)).toEqual([415]);
  });

  test('cancels the model call if it aborts its request', async () => {
    azure.model.fail({ silent: true });
    const abort = new AbortController();
    const pending = client().ask(QUESTION, image, abort.signal);
    pending.catch(() => undefined);
    await expect.poll(() => azure.model.requests.length, { timeout: 10_000 }).toBe(1);
    abort.abort();
    await expect(pending).rejects.toThrow();
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
  });
});

test("an error has the parameter that the model rejects and the model's message, and is not retried", async () => {
  await expect(askWithDefaultTemperature(caller, QUESTION)).rejects.toMatchObject({
    status: 400,
    param: 'temperature',
    code: 'unsupported_value',
    message: expect.stringContaining('Only the default (1) value is supported'),
  });
  expect(azure.model.requests).toHaveLength(1);
});

describe('the table in src/routes/README.md', () => {
  const rows = new Map(
    readDocument('src/routes/README.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (?:client|-+) /.test(line))
      .map((line) => line.slice(1, -1).split(' | '))
      .map(([name = '', ...cells]) => [name.trim(), cells.join(' | ')]),
  );

  test('lists every tested client and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual([...new Set(KNOWN.map(({ row }) => row))].toSorted());
  });

  test.each(KNOWN)('shows the path of the app for $name, and the headers for the key', ({ row, path }) => {
    const lines = rows.get(row) ?? '';
    expect(lines).toMatch(new RegExp(`/api${path}['\`]`));
    expect(lines).toMatch(/headers/i);
  });
});

/** The statuses of the answers that the app has given since its output had this length. */
async function statusesSince(length: number): Promise<number[]> {
  // The app writes its lines in order, so all are there once that of one more request is.
  const { headers } = await fetch(`${caller.base}/processImage`, { method: 'POST', headers: caller.headers });
  const last = `"requestId":"${headers.get('x-request-id')}"`;
  await expect.poll(() => app.output()).toContain(last);
  const lines = app.output().slice(length, app.output().indexOf(last));
  return Array.from(lines.matchAll(/"requestId":"[^"]+","status":(\d+)/g), ([, status]) => Number(status));
}

function clientsOf(by: Caller): Client[] {
  return [
    ...openAiClients(by),
    ...aiSdkClients(by),
    ...langChainClients(by),
    ...agentsClients(by),
    ...llamaIndexClients(by),
  ];
}
