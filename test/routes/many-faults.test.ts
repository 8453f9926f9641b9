import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createCors } from '../../src/http/cors.ts';
import { startServer } from '../../src/server/server.ts';

/** No request of these tests gets as far as Azure. */
const ENV = {
  AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com',
  AZURE_OPENAI_DEPLOYMENT: 'gpt-vision',
  IMAGE_CONTAINERS: 'https://example.blob.core.windows.net/photos',
  JOBS_STORAGE_ACCOUNT: 'example',
};
const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const FORM_TYPE = { 'content-type': 'multipart/form-data; boundary=XX' };

/** About as many members as a JSON body may have. */
const MANY = 16_000;
/** Characters of an answer: room for ten faults with names and advice. */
const MAX_ANSWER = 16_000;
/**
 * Processor time of one turn of the event loop, in milliseconds. A turn should take up to 15 ms of it. The faults that
 * these tests look for took 500 ms and more.
 */
const MAX_TURN_MS = 250;

// Without a guard, the app answers like one on the Functions host, so it takes jobs.
const app = createApp(ENV);
let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  vi.spyOn(console, 'log').mockReturnValue(); // the line that each request logs
  const settings = { port: 0, host: '127.0.0.1', drainMs: 1_000, tokens: undefined };
  server = await startServer(app, settings, createCors(undefined));
});
afterAll(async () => server.close());

const many = (item: (at: number) => string, count = MANY): string =>
  Array.from({ length: count }, (_, at) => item(at)).join();
const name = (at: number): string => `${'n'.repeat(60)}${at}`;
const UNKNOWN = many((at) => `"${name(at)}":1`);
const JOB = '"source":"https://example.blob.core.windows.net/photos","tier":"flex"';
/** Makes a form. The headers of a part come behind its Content-Disposition. */
const form = (parts: readonly (readonly [name: string, value: string, headers?: string])[]): string =>
  `${parts.map(([field, value, headers = '']) => `--XX\r\nContent-Disposition: form-data; name="${field}"${headers}\r\n\r\n${value}\r\n`).join('')}--XX--\r\n`;
const call = (given: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask_about_image","arguments":${given}}}`;
const message = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;
const schema = (items: number): string => `{"type":"object","enum":[${many(() => '1', items)}]}`;
const DEEP = `{"type":"object","enum":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

describe('however many faults a request has, the answer is short, and the event loop goes on', () => {
  test.each([
    ['unknown members', '/api/processImage', `{"instructions":"a",${UNKNOWN}}`, '15,990 more faults'],
    ['unknown members, no instructions', '/api/processImage', `{${UNKNOWN}}`, 'Say what you want to know'],
    ['a million unknown members', '/api/processImage', `{${many((at) => `"a${at}":1`, 1_000_000)}}`, 'more than 50000'],
    ['a million images', '/api/processImage', `{"images":[${many(() => '1', 1_000_000)}]}`, 'more than 50000'],
    [
      'a schema with long names',
      '/api/processImage',
      `{"instructions":"a","images":["AAAA"],"schema":{"type":"object","properties":{${many((at) => `"${'n'.repeat(5_000)}${at}":5`, 20)}}}}`,
      'schema/properties/nnn',
    ],
    [
      'two million items in a schema as text',
      '/api/processImage',
      JSON.stringify({ instructions: 'a', schema: schema(1_900_000) }),
      'schema has more than 524288 characters',
    ],
    [
      'a schema as text that is nested 20,000 levels deep',
      '/api/processImage',
      JSON.stringify({ instructions: 'a', images: ['AAAA'], schema: DEEP }),
      'schema is nested more than 64 levels deep',
    ],
    [
      'such a schema of a job',
      '/api/jobs',
      `{${JOB},"instructions":"a","schema":${JSON.stringify(DEEP)}}`,
      'schema is nested more than 64 levels deep',
    ],
    ['unknown members of a job', '/api/jobs', `{${JOB},"instructions":"a",${UNKNOWN}}`, '15,990 more faults'],
    ['unknown arguments', '/api/mcp', call(`{"instructions":"a",${UNKNOWN}}`), '15,990 more faults'],
    ['unknown members of a message', '/api/mcp', `{"jsonrpc":"2.0","id":1,${UNKNOWN}}`, 'more than 4 members'],
    [
      'wrong capabilities of an agent',
      '/api/mcp',
      message('initialize', `{"protocolVersion":"1","capabilities":{"experimental":{${UNKNOWN}}}}`),
      'more than 1000 members',
    ],
    ['stored items', '/api/responses', `{"input":[${many(() => '{"id":"a"}', 9_000)}]}`, '8,990 more faults'],
    [
      'images without a URL',
      '/api/responses',
      `{"input":[${many(() => '{"type":"input_image"}', 8_000)}]}`,
      '7,990 more',
    ],
    [
      'stored files below long names',
      '/api/responses',
      `{"input":[{"${'n'.repeat(4_000)}":{"${'n'.repeat(4_000)}":[${many(() => '{"file_id":"a"}', 8_000)}]}}]}`,
      '7,990 more faults',
    ],
  ])('%s', async (_, path, body, words) => expectShort(path, body, JSON_TYPE, words));

  test.each([
    ['400,000 parts', form(Array.from({ length: 400_000 }, (_, at) => [`a${at}`, '1'])), 'too many parts'],
    [
      'a long charset',
      form([
        ['_charset_', 'w'.repeat(500_000)],
        ['instructions', 'a'],
      ]),
      'has the charset',
    ],
    [
      'a long transfer encoding',
      form([['a', '1', `\r\nContent-Transfer-Encoding: ${'w'.repeat(60_000)}`]]),
      'Content-Transfer-Encoding: www',
    ],
    [
      'a long name',
      form([
        ['n'.repeat(60_000), '1'],
        ['n'.repeat(60_000), '1'],
      ]),
      'was given twice',
    ],
    [
      '250,000 items in a schema',
      form([
        ['instructions', 'a'],
        ['schema', schema(250_000)],
      ]),
      'schema has more than 50000 members and items',
    ],
  ])('a form with %s', async (_, body, words) => expectShort('/api/processImage', body, FORM_TYPE, words));

  test.each([
    ['detail=%ff&'.repeat(700), 'detail is not UTF-8 text'],
    [`schema${'-'.repeat(8_000)}=1`, 'is not taken from the query'],
  ])('a query: %#', async (query, words) => expectShort(`/api/processImage?${query}`, '{}', JSON_TYPE, words));
});

test.each([
  ['/api/processImage', '{}', 'add ?instructions=… to the URL, percent-encoded, or a field of that name'],
  ['/api/jobs', `{${JOB}}`, 'add instructions to the JSON in the body'],
  ['/api/mcp', call('{}'), "add instructions to the tool's arguments"],
])('%s without instructions says how to send them there', async (path, body, words) => {
  expect(await ask(path, body, JSON_TYPE)).toContain(`Say what you want to know: ${words}.`);
});

async function expectShort(path: string, body: string, headers: Record<string, string>, words: string): Promise<void> {
  const bytes = new TextEncoder().encode(body);
  let longest = 0;
  let spent = cpuMs();
  const turn = (): void => {
    longest = Math.max(longest, cpuMs() - spent);
    spent = cpuMs();
  };
  let isAnswered = false;
  const measure = (): void => {
    turn();
    if (!isAnswered) setImmediate(measure);
  };
  measure();
  const text = await ask(path, bytes, headers);
  isAnswered = true;
  turn();
  expect(longest).toBeLessThan(MAX_TURN_MS);
  expect(text.length).toBeLessThan(MAX_ANSWER);
  expect(text).toContain(words);
}

/** Processor time of this process, which does not depend on how busy the machine is. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function ask(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<string> {
  return (await fetch(server.url + path, { method: 'POST', headers, body })).text();
}
