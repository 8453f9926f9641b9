import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, startBoth } from './app.ts';

let app: App;
let close: () => void;
beforeAll(async () => {
  const started = await startBoth();
  app = started.app;
  close = () => started.azure.close();
});
afterAll(async () => {
  await app.stop();
  close();
});

async function call(method: string, path: string): Promise<{ response: Response; text: string }> {
  const response = await fetch(`${app.url}${path}`, { method });
  return { response, text: await response.text() };
}

describe('a path that does not exist', () => {
  test.each([
    ['GET', '/api/nothing'],
    ['POST', '/api/processImages'],
    ['DELETE', '/api/processImage/1'],
    ['GET', '/api/health/live'],
    ['GET', '/api/chatter'],
    ['POST', '/api/a/b/c?code=secret'],
    ['GET', '/api'],
    ['PATCH', '/api/%E0%A4%A'],
  ])('%s %s answers 404 and lists the routes', async (method, path) => {
    const { response, text } = await call(method, path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(text)).toMatchObject({
      type: 'urn:problem:not_found',
      status: 404,
      code: 'not_found',
      requestId: response.headers.get('x-request-id'),
      detail: expect.stringContaining('POST /api/processImage,'),
      routes: expect.arrayContaining(['POST /api/processImage', 'POST /api/chat/completions', 'GET /api/health']),
    });
    expect(text).not.toContain('*');
    expect(text).not.toContain('secret');
  });

  test.each([
    '/api/v1/audio',
    '/api/openai/v1/embeddings',
    '/api/chat',
    '/api/responses/1/input_items',
    '/api/MODELS/x/y',
  ])('POST %s answers 404 in the format of an OpenAI error', async (path) => {
    const { response, text } = await call('POST', path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(text)).toEqual({
      error: {
        message: expect.stringContaining('/api/chat/completions'),
        type: 'invalid_request_error',
        param: null,
        code: 'not_found',
        requestId: response.headers.get('x-request-id'),
        routes: expect.any(Array),
      },
    });
  });
});

describe('a method that a path does not support', () => {
  test.each([
    ['GET', '/api/processImage', 'POST'],
    ['PUT', '/api/PROCESSIMAGE/', 'POST'],
    ['POST', '/api/health', 'GET'],
    ['OPTIONS', '/api/health/ready', 'GET'],
    ['DELETE', '/api/openapi.json', 'GET'],
    ['PATCH', '/api/playground', 'GET'],
  ])('%s %s answers 405 with Allow: %s', async (method, path, allow) => {
    const { response, text } = await call(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(JSON.parse(text)).toMatchObject({
      code: 'method_not_allowed',
      detail: `This route does not take ${method}. Use ${allow}.`,
      allowed: [allow],
      requestId: response.headers.get('x-request-id'),
    });
  });

  test('GET /api/chat/completions answers 405 in the format of an OpenAI error', async () => {
    const { response, text } = await call('GET', '/api/chat/completions');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'method_not_allowed', type: 'invalid_request_error' } });
  });

  test.each(['/api/health', '/api/openapi.json', '/api/playground', '/api/health/ready'])(
    'HEAD %s answers 405 with Allow and without a body',
    async (path) => {
      const { response, text } = await call('HEAD', path);
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET');
      expect(response.headers.get('x-request-id')).toBeTruthy();
      expect(text).toBe('');
    },
  );
});

test('a request to an existing route reaches that route', async () => {
  expect((await call('GET', '/api/health')).response.status).toBe(200);
  expect((await call('POST', '/api/processImage')).response.status).toBe(400);
});
