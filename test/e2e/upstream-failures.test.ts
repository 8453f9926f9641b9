import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/local/emulator/azure.ts';
import type { Fault } from '../../src/local/emulator/fault.ts';
import { still } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { ask } from './ask.ts';

const TIMEOUT_SECONDS = 6;
const RETRIES = 2;

let app: App;
let azure: EmulatedAzure;
let image: Buffer;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ REQUEST_TIMEOUT_SECONDS: String(TIMEOUT_SECONDS) }));
  image = await still('image/png', 16, 16);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

const filtered = { filtered: true, severity: 'high' };
const safe = { filtered: false, severity: 'safe' };
const choice = { index: 0, message: { role: 'assistant', content: null, refusal: null }, finish_reason: 'stop' };
const completion = (over: object) => ({ id: 'c', object: 'chat.completion', model: 'm', choices: [{ ...choice, ...over }] });

interface Case {
  readonly what: string;
  readonly fault: Fault;
  readonly status: number;
  readonly code: string;
  readonly calls: number;
  readonly also?: object;
}

const cases: Case[] = [
  {
    what: '400 content_filter',
    fault: {
      status: 400,
      body: {
        error: {
          code: 'content_filter',
          message: 'The response was filtered',
          status: 400,
          innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { violence: filtered, hate: safe, jailbreak: { filtered: true, detected: true } } },
        },
      },
    },
    status: 422,
    code: 'content_filtered',
    calls: 1,
    also: {
      categories: [
        { category: 'violence', severity: 'high', source: 'prompt' },
        { category: 'jailbreak', severity: null, source: 'prompt' },
      ],
    },
  },
  {
    what: '400 invalid_image_format',
    fault: { status: 400, body: { error: { code: 'invalid_image_format', message: 'You uploaded an unsupported image.' } } },
    status: 422,
    code: 'image_rejected',
    calls: 1,
    also: { detail: expect.stringContaining('You uploaded an unsupported image.') },
  },
  {
    what: '400 about the image in words alone',
    fault: { status: 400, body: { error: { code: null, message: 'Invalid image data.' } } },
    status: 422,
    code: 'image_rejected',
    calls: 1,
  },
  { what: 'another 400', fault: { status: 400, body: { error: { code: 'unsupported_value', message: 'secret-words' } } }, status: 502, code: 'upstream_error', calls: 1 },
  { what: '401', fault: { status: 401 }, status: 502, code: 'model_access_denied', calls: 1, also: { detail: expect.stringContaining('Cognitive Services OpenAI User') } },
  { what: '403', fault: { status: 403 }, status: 502, code: 'model_access_denied', calls: 1, also: { detail: expect.stringContaining('minutes') } },
  { what: '404', fault: { status: 404 }, status: 502, code: 'deployment_not_found', calls: 1 },
  { what: '410', fault: { status: 410 }, status: 502, code: 'deployment_not_found', calls: 1 },
  { what: '429 with a Retry-After of 1', fault: { status: 429, headers: { 'retry-after': '1' } }, status: 429, code: 'rate_limited', calls: 1 + RETRIES },
  { what: '429 with a Retry-After of 120', fault: { status: 429, headers: { 'retry-after': '120' } }, status: 429, code: 'rate_limited', calls: 1 },
  { what: '500', fault: { status: 500 }, status: 502, code: 'upstream_error', calls: 1 + RETRIES },
  { what: '503', fault: { status: 503, headers: { 'retry-after-ms': '1' } }, status: 502, code: 'upstream_error', calls: 1 + RETRIES },
  { what: "a gateway's flat error", fault: { status: 403, body: { statusCode: 403, message: 'secret-words' } }, status: 502, code: 'model_access_denied', calls: 1 },
  { what: 'HTML with 200', fault: { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>secret-words</h1>' }, status: 502, code: 'upstream_error', calls: 1 },
  { what: 'HTML that says it is JSON', fault: { status: 200, headers: { 'content-type': 'application/json' }, body: '<h1>secret-words</h1>' }, status: 502, code: 'upstream_error', calls: 1 },
  { what: 'JSON that is no completion', fault: { status: 200, body: { choices: [] } }, status: 502, code: 'upstream_error', calls: 1 },
  { what: 'an empty body with 200', fault: { status: 200, headers: { 'content-type': 'application/json' }, body: '' }, status: 502, code: 'upstream_error', calls: 1 },
  { what: 'a connection dropped before the answer', fault: { breakOff: 'before-headers' }, status: 502, code: 'upstream_error', calls: 1 + RETRIES },
  { what: 'a connection dropped inside the answer', fault: { breakOff: 'mid-body' }, status: 502, code: 'upstream_error', calls: 1 },
  { what: 'silence', fault: { silent: true }, status: 504, code: 'upstream_timeout', calls: 1 },
  {
    what: 'an answer that the filter stopped whole',
    fault: { body: completion({ finish_reason: 'content_filter', content_filter_results: { sexual: filtered } }) },
    status: 422,
    code: 'content_filtered',
    calls: 1,
    also: { categories: [{ category: 'sexual', severity: 'high', source: 'answer' }] },
  },
];

describe('what the upstream does wrong', () => {
  test.each(cases)('$what: $status $code after $calls calls', async ({ fault, status, code, calls, also }) => {
    azure.model.fail(fault, Infinity);
    const started = Date.now();
    const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
    expect(answer.json()).toMatchObject({ status, code, requestId: answer.headers.get('x-request-id'), ...also });
    expect(answer.status).toBe(status);
    expect(azure.model.requests).toHaveLength(calls);
    expect(answer.text).not.toContain('secret-words');
    expect(Date.now() - started).toBeLessThan((TIMEOUT_SECONDS + 1) * 1000);

    azure.reset();
    expect((await ask(app.url, image)).status, 'the next request').toBe(200);
  });
});

test.each(['1', '120'])('a Retry-After of %s is passed on', async (retryAfter) => {
  azure.model.fail({ status: 429, headers: { 'retry-after': retryAfter } }, Infinity);
  expect((await ask(app.url, image)).headers.get('retry-after')).toBe(retryAfter);
});

test('a failure that passes is retried and not seen by the caller', async () => {
  azure.model.fail({ status: 500 });
  azure.model.fail({ breakOff: 'before-headers' });
  expect((await ask(app.url, image)).status).toBe(200);
  expect(azure.model.requests).toHaveLength(3);
  const bodies = azure.model.requests.map(({ body }) => JSON.stringify(body));
  expect(new Set(bodies).size, 'every attempt carries the whole image').toBe(1);
});

test('an answer cut by the filter after some words is an answer', async () => {
  azure.model.fail({ body: completion({ message: { role: 'assistant', content: 'A boat and' }, finish_reason: 'content_filter' }) });
  const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
  expect(answer.json()).toMatchObject({ answer: 'A boat and', finishReason: 'content_filter' });
});

test('a refusal is an answer', async () => {
  azure.model.fail({ body: completion({ message: { role: 'assistant', content: null, refusal: 'I will not.' } }) }, 2);
  expect((await ask(app.url, image)).text).toBe('I will not.');
  const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
  expect(answer.json()).toMatchObject({ answer: '', refusal: 'I will not.' });
});

test('tokens that the model refuses are told as the missing role, and a grant mends it', async () => {
  azure.revoke();
  expect((await ask(app.url, image)).json()).toMatchObject({ status: 502, code: 'model_access_denied' });
  azure.allow();
  expect((await ask(app.url, image)).status).toBe(200);
});
