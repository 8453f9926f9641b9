import { expect, test } from 'vitest';
import type { Fault } from '../../src/dev/emulator/fault.ts';
import { SAILBOAT } from '../images/heif.ts';
import { still, turned } from '../images/still.ts';
import { wrongFiles } from '../images/wrong.ts';
import { startBoth } from './app.ts';
import { ask } from './ask.ts';
import { keepSecret } from './secrets.ts';

const INSTRUCTIONS = 'marker-of-the-instructions';
const ANSWER = 'marker-of-the-answer';
/** A schema contains words of the caller, too. */
const SCHEMA = { type: 'object', description: INSTRUCTIONS, properties: { [INSTRUCTIONS]: { type: 'string' } } };
const FAULTS: Fault[] = [
  {
    body: {
      id: 'c',
      object: 'chat.completion',
      model: 'm',
      choices: [{ message: { content: ANSWER }, finish_reason: 'stop' }],
    },
  },
  { status: 400, body: { error: { code: 'invalid_image', message: ANSWER } } },
  { status: 401, body: { error: { code: '401', message: ANSWER } } },
  { status: 500, body: ANSWER, headers: { 'retry-after-ms': '1' } },
  { status: 200, body: ANSWER, headers: { 'content-type': 'application/json' } },
  { breakOff: 'mid-body' },
];

test('the app prints no image, instructions, answer or token, even at the most verbose log levels', async () => {
  // The most verbose level of each library.
  const { app, azure } = await startBoth({
    OPENAI_LOG: 'debug',
    AZURE_LOG_LEVEL: 'verbose',
    NODE_DEBUG: 'functions',
    UPSTREAM_MAX_RETRIES: '1',
  });
  const image = await still('image/png', 40, 30);
  const query = { instructions: INSTRUCTIONS };
  for (const fault of FAULTS) {
    azure.model.fail(fault, 2);
    await ask(app.url, image, { query });
    azure.model.reset();
  }
  for (const { bytes } of await wrongFiles()) await ask(app.url, bytes, { query });
  await ask(app.url, image, { query });
  await ask(app.url, image, { query: { instructions: INSTRUCTIONS, detail: INSTRUCTIONS } });
  const base64 = image.toString('base64');
  for (const fault of [{}, ...FAULTS]) {
    for (const [path, body] of Object.entries(questionsOf(base64))) {
      azure.model.fail(fault, 2);
      await post(`${app.url}/api/${path}`, body);
      azure.model.reset();
    }
  }
  for (const [path, body] of Object.entries(questionsOf(Buffer.from(INSTRUCTIONS).toString('base64'))))
    await post(`${app.url}/api/${path}`, body);
  for (const path of Object.keys(questionsOf('')))
    for (const text of [
      INSTRUCTIONS,
      JSON.stringify(INSTRUCTIONS),
      JSON.stringify({ method: INSTRUCTIONS, id: 1, jsonrpc: '2.0' }),
    ])
      await post(`${app.url}/api/${path}`, text);
  for (const picture of [SAILBOAT, SAILBOAT.subarray(0, 2000), await turned(await still('image/jpeg', 40, 30))]) {
    keepSecret('image', new Uint8Array(picture));
    for (const [path, body] of Object.entries(questionsOf(picture.toString('base64'))))
      await post(`${app.url}/api/${path}`, body);
  }
  const token = azure.model.requests.at(-1)?.headers.authorization?.slice('Bearer '.length) ?? '';
  expect(token.length).toBeGreaterThan(100);
  keepSecret('key', token);
  keepSecret('words', ANSWER);

  await app.stop(); // throws if the app printed any of these secrets
  azure.close();
  expect(app.output().length, 'the app printed a log').toBeGreaterThan(2_000);
  expect(app.output(), 'the log names the credential that signed in').toContain('Result for ManagedIdentityCredential');
});

/** The body of the same question, for each route that takes JSON. */
function questionsOf(base64: string): Record<string, string> {
  const url = `data:image/png;base64,${base64}`;
  const bodies = {
    processImage: { instructions: INSTRUCTIONS, images: [base64] },
    'chat/completions': {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: INSTRUCTIONS },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    },
    responses: {
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: INSTRUCTIONS },
            { type: 'input_image', image_url: url },
          ],
        },
      ],
      store: true,
    },
    mcp: {
      jsonrpc: '2.0',
      id: INSTRUCTIONS,
      method: 'tools/call',
      params: { name: 'ask_about_image', arguments: { instructions: INSTRUCTIONS, images: [base64], schema: SCHEMA } },
    },
  };
  return Object.fromEntries(Object.entries(bodies).map(([path, body]) => [path, JSON.stringify(body)]));
}

async function post(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer().catch(() => undefined);
}
