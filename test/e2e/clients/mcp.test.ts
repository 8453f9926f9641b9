import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import { still } from '../../images/still.ts';
import { type App, startBoth } from '../app.ts';
import { keepSecret } from '../secrets.ts';
import { BOAT } from './client.ts';

const TOOL = 'ask_about_image';
const QUESTION = 'What is in the picture of the lighthouse?';
const MESSAGE_HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
};
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

let app: App;
let azure: EmulatedAzure;
let key: string;
let image: string;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ FUNCTION_KEYS: 'on', MAX_BODY_BYTES: '3000000', MAX_IMAGE_BYTES: '1000000' }));
  key = /x-functions-key: (\S+)/.exec(app.output())?.[1] ?? '';
  const bytes = await still('image/png', 30, 20);
  keepSecret('image', bytes);
  keepSecret('words', QUESTION);
  image = bytes.toString('base64');
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

describe("the MCP SDK's client", () => {
  test('connects without a session, and lists the one tool with its limits', async () => {
    const client = await connect();
    expect(client.getServerVersion()).toMatchObject({ name: 'keyless-vision', version: expect.any(String) });
    const { tools } = await client.listTools();
    expect(tools).toEqual([
      expect.objectContaining({
        name: TOOL,
        inputSchema: expect.objectContaining({
          required: ['instructions', 'images'],
          properties: expect.objectContaining({
            instructions: expect.objectContaining({ maxLength: 4000 }),
            images: expect.objectContaining({ maxItems: 10 }),
          }),
        }),
      }),
    ]);
    expect((client.transport as StreamableHTTPClientTransport).sessionId).toBeUndefined();
  });

  test.each(['base64', 'a data URL'])('asks about an image given as %s', async (kind) => {
    const client = await connect();
    const given = kind === 'base64' ? image : `data:image/png;base64,${image}`;
    const result = await client.callTool({ name: TOOL, arguments: { instructions: QUESTION, images: [given] } });
    expect(result).toEqual({
      content: [{ type: 'text', text: expect.stringContaining('PNG image of 30 x 20 pixels') }],
    });
    expect(azure.model.requests).toHaveLength(1);
    expect(JSON.stringify(azure.model.requests[0]?.body)).toContain(image);
  });

  test('gets an object that satisfies its schema, also as text', async () => {
    const client = await connect();
    const { content, structuredContent, isError } = await client.callTool({
      name: TOOL,
      arguments: { instructions: QUESTION, images: [image, image], schema: BOAT },
    });
    expect(isError).toBeUndefined();
    expect(structuredContent).toEqual({ name: expect.stringContaining('PNG image of 30 x 20 pixels'), sails: 2 });
    expect(content).toEqual([{ type: 'text', text: expect.any(String) }]);
    expect(JSON.parse((content as { text: string }[])[0]?.text ?? '')).toEqual(structuredContent);
  });

  test.each([
    ['unsupported_image_type', { images: [Buffer.from('This is a text.').toString('base64')] }, 'not an image'],
    ['image_too_large', { images: [Buffer.alloc(1_000_001, 7).toString('base64')] }, 'more than 1,000,000 bytes'],
    ['corrupt_image', { images: [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').toString('base64')] }, ''],
    ['empty_image', { images: [] }, ''],
    ['too_many_images', { images: Array.from({ length: 11 }, () => 'AAAA') }, '10'],
    ['invalid_request', { images: ['data:image/png;base64,%%%'] }, 'images[0]'],
    ['invalid_request', { images: [7] }, 'images[0] must be'],
    ['invalid_request', { images: 'https://example.com/x.png' }, 'images must be'],
    ['invalid_request', { images: ['https://example.com/x.png'] }, 'images[0]'],
    ['invalid_request', { schema: { type: 'array' } }, 'schema must describe an object'],
    ['invalid_request', { volume: 11 }, 'volume is not a known field'],
    ['missing_instructions', { instructions: ' ' }, ''],
  ])('gets %s as a tool error: %#', async (code, wrong, words) => {
    const client = await connect();
    const request = { instructions: QUESTION, images: [image], ...wrong };
    const result = await client.callTool({ name: TOOL, arguments: request });
    expect(result).toEqual({ isError: true, content: [{ type: 'text', text: expect.stringContaining(`${code}: `) }] });
    expect(JSON.stringify(result)).toContain(words);
    expect(azure.model.requests).toEqual([]);
    expect(app.output()).toContain(`"code":"${code}"`);
  });

  test('gets a failure of the model as a tool error', async () => {
    azure.model.fail({ status: 404, body: { error: { code: 'DeploymentNotFound' } } });
    const client = await connect();
    const result = await client.callTool({ name: TOOL, arguments: { instructions: QUESTION, images: [image] } });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('deployment_not_found: ') }],
    });
  });

  test('cancels the model call if it disconnects, and the app logs status 499', async () => {
    azure.model.fail({ silent: true });
    const client = await connect();
    const pending = client.callTool({ name: TOOL, arguments: { instructions: QUESTION, images: [image] } });
    pending.catch(() => undefined);
    await expect.poll(() => azure.model.requests.length, { timeout: 10_000 }).toBe(1);
    await client.close();
    await expect(pending).rejects.toThrow();
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
    await expect.poll(() => app.output()).toContain('"status":499,"method":"tools/call"');
  });

  test('gets an error that names the existing tool if it calls an unknown one', async () => {
    const client = await connect();
    await expect(client.callTool({ name: 'paint', arguments: { images: [image] } })).rejects.toThrow(TOOL);
  });

  test('is rejected with 401 if its key is wrong', async () => {
    await expect(connect({ 'x-functions-key': 'wrong' })).rejects.toMatchObject({ code: 401 });
  });
});

describe('the protocol', () => {
  test.each([
    ['{"jsonrpc":', 400, -32_700],
    ['"hello"', 400, -32_700],
    ['{"hello":1}', 400, -32_700],
    [`[${JSON.stringify(LIST)}]`, 400, -32_700],
    [JSON.stringify({ ...LIST, method: 'tools/paint' }), 200, -32_601],
    [JSON.stringify({ ...LIST, method: 'tools/call', params: { name: TOOL, arguments: 'none' } }), 200, -32_603],
    [JSON.stringify({ ...LIST, method: 'tools/call' }), 200, -32_603],
  ])('answers %s with status %i and JSON-RPC error %i', async (body, status, code) => {
    const response = await send(body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code, message: expect.any(String) } });
  });

  test('answers a body that is too large with 413 and the code of the problem', async () => {
    const response = await send(JSON.stringify({ ...LIST, params: { big: 'x'.repeat(3_000_000) } }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_000, message: expect.stringContaining('3,000,000 bytes'), data: { code: 'body_too_large' } },
    });
  });

  test.each([
    [{ accept: 'application/json' }, 406],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'mcp-protocol-version': '1999-01-01' }, 400],
  ])('with the headers %o, answers %i and does not call the model', async (headers, status) => {
    const params = { name: TOOL, arguments: { instructions: QUESTION, images: [image] } };
    const response = await send(JSON.stringify({ ...LIST, method: 'tools/call', params }), headers);
    expect(response.status).toBe(status);
    expect(azure.model.requests).toEqual([]);
  });

  test('answers a notification with 202 and no body', async () => {
    const response = await send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    expect([response.status, await response.text()]).toEqual([202, '']);
  });

  test('returns the id of the request unchanged, also a long one', async () => {
    for (const id of [0, 'a', 'x'.repeat(5_000)]) {
      const params = { name: TOOL, arguments: {} };
      const response = await send(JSON.stringify({ ...LIST, id, method: 'tools/call', params }));
      expect(await response.json()).toMatchObject({ id, result: { isError: true } });
    }
  });

  test.each(['GET', 'DELETE'])('answers %s with 405, because there are no sessions', async (method) => {
    const response = await fetch(`${app.url}/api/mcp`, {
      method,
      headers: { ...MESSAGE_HEADERS, 'x-functions-key': key },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

async function connect(headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  onTestFinished(async () => client.close());
  const requestInit = { headers: { 'x-functions-key': key, ...headers } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${app.url}/api/mcp`), { requestInit }));
  return client;
}

async function send(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.url}/api/mcp`, {
    method: 'POST',
    headers: { ...MESSAGE_HEADERS, 'x-functions-key': key, ...headers },
    body,
  });
}
