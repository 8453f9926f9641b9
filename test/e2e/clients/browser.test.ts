import { createServer, type Server } from 'node:http';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { listen } from '../../../src/dev/start/listen.ts';
import { still } from '../../images/still.ts';
import { type App, startApp } from '../app.ts';
import { openBrowser } from '../browser.ts';
import { keepAllThatReaches, keepSecret } from '../secrets.ts';

/** What the functions that run in the page are called with. */
interface PageInput {
  readonly key: string;
  readonly api: string;
  readonly image: string;
}

let azure: EmulatedAzure;
let app: App;
let browser: Browser;
let pages: Server;
let allowed: string;
let pageInput: PageInput;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export { OpenAI } from 'openai'`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'iife',
    globalName: 'sdk',
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  pages = createServer((_, res) => res.setHeader('content-type', 'text/html').end(`<script>${script}</script>`));
  const port = await listen(pages, 0);
  allowed = `http://127.0.0.1:${port}`;

  azure = keepAllThatReaches(await startAzure({ record: true }));
  app = await startApp({ ...azure.env, FUNCTION_KEYS: 'on', CORS_ALLOWED_ORIGINS: `https://page.example, ${allowed}` });
  const bytes = await still('image/png', 30, 20);
  keepSecret('image', bytes);
  pageInput = {
    key: /x-functions-key: (\S+)/.exec(app.output())?.[1] ?? '',
    api: `${app.url}/api`,
    image: `data:image/png;base64,${bytes.toString('base64')}`,
  };
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await app.stop();
  azure.close();
  pages.close();
});

describe('a page of an allowed origin', () => {
  test('asks with fetch, and can read the answer and its request id', async () => {
    const page = await open(allowed);
    const { status, text, id } = await page.evaluate(ask, pageInput);
    expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('PNG image of 30 x 20 pixels') });
    expect(app.output()).toContain(id);
  });

  test("streams with OpenAI's client, whose additional headers are allowed", async () => {
    const page = await open(allowed);
    const words = await page.evaluate(async ({ key, api, image }) => {
      const { OpenAI } = (globalThis as unknown as { sdk: typeof import('openai') }).sdk;
      const client = new OpenAI({
        baseURL: api,
        apiKey: 'unused',
        defaultHeaders: { 'x-functions-key': key },
        dangerouslyAllowBrowser: true,
      });
      const stream = await client.responses.create({
        model: 'gpt-5',
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is this?' },
              { type: 'input_image', image_url: image, detail: 'auto' },
            ],
          },
        ],
        stream: true,
      });
      const deltas: string[] = [];
      for await (const event of stream) if (event.type === 'response.output_text.delta') deltas.push(event.delta);
      return deltas;
    }, pageInput);
    expect(words.length).toBeGreaterThan(5);
    expect(words.join('')).toContain('PNG image of 30 x 20 pixels');
  });

  test('gets status 401 instead of a network error if its key is wrong', async () => {
    const page = await open(allowed);
    expect(await page.evaluate(ask, { ...pageInput, key: 'wrong' })).toMatchObject({ status: 401 });
  });
});

test('a page of another origin gets no answer, and its question does not reach the model', async () => {
  azure.reset();
  const page = await open(allowed.replace('127.0.0.1', 'localhost'));
  await expect(page.evaluate(ask, pageInput)).rejects.toThrow('Failed to fetch');
  expect(azure.model.requests).toEqual([]);
});

async function open(origin: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(origin);
  return page;
}

/** Runs in the page. */
async function ask({ key, api, image }: PageInput): Promise<{ status: number; text: string; id: string | null }> {
  const response = await fetch(`${api}/processImage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-functions-key': key },
    body: JSON.stringify({ instructions: 'What is this?', images: [image] }),
  });
  return { status: response.status, text: await response.text(), id: response.headers.get('x-request-id') };
}
