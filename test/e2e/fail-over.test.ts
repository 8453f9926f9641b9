import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startAzure, type EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { some } from '../tier.ts';
import { type App, startApp } from './app.ts';
import { ask, checkedFetch } from './ask.ts';

const RETRIES = 1;

let app: App;
let first: EmulatedAzure;
let second: EmulatedAzure;
let image: Buffer;
async function start(): Promise<void> {
  first = await startAzure({ record: true });
  second = await startAzure({ record: true, deployments: ['gpt-second'], authority: first.authority });
  app = await startApp({
    ...first.env,
    UPSTREAM_MAX_RETRIES: String(RETRIES),
    AZURE_OPENAI_ENDPOINT_2: second.env['AZURE_OPENAI_ENDPOINT'] ?? '',
    AZURE_OPENAI_DEPLOYMENT_2: 'gpt-second',
  });
  image = await still('image/png', 16, 16);
}

async function stop(): Promise<void> {
  await app.stop();
  first.close();
  second.close();
}

function calls(): number[] {
  return [first.model.requests.length, second.model.requests.length];
}

describe('without a reason to fail over', () => {
  beforeAll(start);
  beforeEach(() => {
    first.reset();
    second.reset();
  });
  afterAll(stop);

  test('only the first endpoint is called', async () => {
    expect((await ask(app.url, image)).status).toBe(200);
    expect(calls()).toEqual([1, 0]);
  });

  test.each([{ fault: { status: 400 } }, { fault: { status: 401 } }, { fault: { status: 404 } }])(
    'answers 502 without calling the second endpoint if the first answers $fault.status',
    async ({ fault }) => {
      first.model.fail(fault, Infinity);
      expect((await ask(app.url, image)).status).toBe(502);
      expect(calls()).toEqual([1, 0]);
    },
  );
});

describe('fail-over', () => {
  // Each test starts its own app, because an app remembers that the first endpoint has failed.
  beforeEach(start);
  afterEach(stop);

  test('after a 429 with Retry-After: 30, the same image goes to the second endpoint, and so does the next request', async () => {
    first.model.fail({ status: 429, headers: { 'retry-after': '30' } }, Infinity);
    expect((await ask(app.url, image)).status).toBe(200);
    expect(calls()).toEqual([1, 1]);
    expect(JSON.stringify(second.model.requests[0]?.body)).toContain(image.toString('base64'));
    expect(second.model.requests[0]?.path).toContain('/gpt-second/');
    expect((await ask(app.url, image, { headers: { accept: 'text/event-stream' } })).status).toBe(200);
    expect(calls()).toEqual([1, 2]);
  });

  test('a request to /api/responses also fails over, with the deployment of the second endpoint', async () => {
    first.model.fail({ status: 503 }, Infinity);
    const response = await checkedFetch(`${app.url}/api/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'What?' }),
    });
    expect(response.status).toBe(200);
    expect(calls()).toEqual([1, 1]);
    expect(second.model.requests[0]).toMatchObject({ path: '/openai/v1/responses', body: { model: 'gpt-second' } });
  });

  test('the first endpoint is called again when its Retry-After is over', async () => {
    first.model.fail({ status: 429, headers: { 'retry-after': '1' } });
    await ask(app.url, image);
    expect(calls()).toEqual([1, 1]);
    await sleep(1_100);
    expect((await ask(app.url, image)).status).toBe(200);
    expect(calls()).toEqual([2, 1]);
  });

  const failures = [
    { fault: { status: 500 } },
    { fault: { status: 503 } },
    { fault: { breakOff: 'before-headers' as const } },
  ];
  test.each(some(failures, 2))(
    'if the first fails, the second is called without retries: $fault',
    async ({ fault }) => {
      first.model.fail(fault, Infinity);
      expect((await ask(app.url, image)).status).toBe(200);
      expect(calls()).toEqual([1, 1]);
    },
  );

  test('if both fail, the first is called once, the second is retried, and its failure is returned', async () => {
    first.model.fail({ status: 500 }, Infinity);
    second.model.fail({ status: 503, headers: { 'retry-after-ms': '1' } }, Infinity);
    expect((await ask(app.url, image)).json()).toMatchObject({
      status: 502,
      code: 'upstream_error',
      upstreamStatus: 503,
    });
    expect(calls()).toEqual([1, 1 + RETRIES]);
  });

  test('if both answer 429, the next request gets a 429 with the shorter Retry-After, without a call', async () => {
    first.model.fail({ status: 429, headers: { 'retry-after': '90' } }, Infinity);
    second.model.fail({ status: 429, headers: { 'retry-after': '120' } }, Infinity);
    expect((await ask(app.url, image)).status).toBe(429);
    expect(calls()).toEqual([1, 1]);
    const next = await ask(app.url, image);
    expect(next.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(80);
    expect(Number(next.headers.get('retry-after'))).toBeLessThanOrEqual(90);
    expect(calls()).toEqual([1, 1]);
  });
});
