import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import type { Fault } from '../../src/dev/emulator/fault.ts';
import { askModel, type AskOptions, type Outcome } from './ask-model.ts';

let azure: EmulatedAzure;
beforeAll(async () => void (azure = await startAzure({ record: true })));
afterEach(() => azure.reset());
afterAll(() => azure.close());

async function ask(fault: Fault, options: AskOptions = {}, env: Record<string, string> = {}): Promise<Outcome> {
  azure.model.fail(fault, Infinity);
  return askModel({ AZURE_OPENAI_ENDPOINT: azure.env['AZURE_OPENAI_ENDPOINT'] ?? '', ...env }, options);
}

const error = (code: string | null, message: string, more: { param?: string } = {}) => ({
  error: { code, message, type: 'invalid_request_error', param: null, ...more },
});
const html = (title: string) => ({
  headers: { 'content-type': 'text/html' },
  body: `<html><head><title>${title}</title></head></html>`,
});
const events = (...all: object[]): Fault => ({
  headers: { 'content-type': 'text/event-stream' },
  body: `${all.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`,
});
const textChunk = { id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }] };
const filterChunk = { id: '', model: '', choices: [], prompt_filter_results: [] };

describe('an error in a response with status 200', () => {
  const kinds: readonly (readonly [error: object, code: string])[] = [
    [{ code: '429', message: 'Requests have exceeded the token rate limit.' }, 'rate_limited'],
    [{ code: 429, message: 'x' }, 'rate_limited'],
    [{ type: 'rate_limit_error', message: 'x' }, 'rate_limited'],
    [{ code: 'rate_limit_exceeded', type: 'tokens', message: 'x' }, 'rate_limited'],
    [{ code: 'too_many_requests', message: 'x' }, 'rate_limited'],
    [{ code: 'insufficient_quota', type: 'invalid_request_error', message: 'x' }, 'rate_limited'],
    [{ message: 'Rate limit reached for requests' }, 'rate_limited'],
    [
      { type: 'server_error', code: null, message: 'The server had an error processing your request.' },
      'upstream_error',
    ],
    [{ code: 'InternalServerError', message: 'x' }, 'upstream_error'],
    [{ code: '500', message: 'x' }, 'upstream_error'],
    [{ type: 'service_unavailable_error', code: 'server_is_overloaded', message: 'x' }, 'upstream_error'],
    [{ code: 503, message: 'x' }, 'upstream_error'],
    [{ message: 'Something nobody has heard of' }, 'upstream_error'],
    [{ code: 'Timeout', message: 'The operation was timeout.' }, 'upstream_timeout'],
    [{ type: 'timeout', message: 'x' }, 'upstream_timeout'],
    [{ code: 'content_filter', message: 'x' }, 'content_filtered'],
    [{ code: 'invalid_prompt', type: 'invalid_request_error', message: 'x' }, 'content_filtered'],
    [{ type: 'image_generation_user_error', code: 'invalid_image', message: 'Invalid image.' }, 'image_rejected'],
  ];
  test.each(kinds)('%j in a stream becomes %s, before the first chunk and after it', async (event, code) => {
    const first = await ask(events({ error: event }), { stream: true });
    expect(first).toMatchObject({ early: true, problem: { code } });
    azure.reset();
    const later = await ask(events(textChunk, { error: event }), { stream: true });
    expect(later).toMatchObject({ early: false, answer: [textChunk], problem: { code } });
  });

  test.each(['a string for an error', { text: 'without a message' }])(
    '%j in a stream becomes upstream_error',
    async (event) => {
      expect((await ask(events(textChunk, { error: event }), { stream: true })).problem?.code).toBe('upstream_error');
    },
  );

  test('server_is_overloaded in a stream becomes a problem that says so, with upstreamStatus 503', async () => {
    const { problem } = await ask(events({ error: { code: 'server_is_overloaded', message: 'x' } }), { stream: true });
    expect(problem).toMatchObject({ detail: expect.stringContaining('overloaded'), members: { upstreamStatus: 503 } });
  });

  test('a wait in the message of a 429 in a stream is passed on as Retry-After', async () => {
    const message = 'Requests have exceeded the token rate limit. Please retry after 60 seconds.';
    const { problem } = await ask(events({ error: { code: '429', message } }), { stream: true });
    expect(problem?.headers).toEqual({ 'retry-after': '60' });
  });

  test.each([
    { before: [], source: 'prompt' },
    { before: [filterChunk], source: 'prompt' },
    { before: [filterChunk, textChunk], source: 'answer' },
  ])('content_filter after $before.length chunks of a stream has the source "$source"', async ({ before, source }) => {
    const innererror = { content_filter_result: { violence: { filtered: true, severity: 'high' } } };
    const { problem } = await ask(events(...before, { error: { code: 'content_filter', message: 'x', innererror } }), {
      stream: true,
    });
    expect(problem?.members['categories']).toEqual([{ category: 'violence', severity: 'high', source }]);
  });

  test('an error inside a choice becomes upstream_error, in a stream and in a whole answer', async () => {
    const choice = { index: 0, finish_reason: 'error', error: { code: 502, message: 'Upstream lost' } };
    const failedChunk = { ...textChunk, choices: [{ ...choice, delta: {} }] };
    const streamed = await ask(events(textChunk, failedChunk), { stream: true });
    expect(streamed.problem).toMatchObject({ code: 'upstream_error', members: { upstreamStatus: 502 } });
    azure.reset();
    const whole = await ask({ body: { id: 'c', model: 'm', choices: [{ ...choice, message: { content: '' } }] } });
    expect(whole.problem).toMatchObject({ code: 'upstream_error', members: { upstreamStatus: 502 } });
  });

  test('a 429 in place of a whole answer becomes rate_limited', async () => {
    expect((await ask({ body: { error: { code: '429', message: 'x' } } })).problem?.code).toBe('rate_limited');
  });
});

describe('a status other than 200', () => {
  test.each([
    { status: 302, meaning: 'redirect', next: 'AZURE_OPENAI_ENDPOINT' },
    { status: 307, meaning: 'redirect', next: 'AZURE_OPENAI_ENDPOINT' },
    { status: 402, meaning: 'payment', next: 'Ask the owner' },
    { status: 409, meaning: 'change', next: 'Try again' },
    { status: 413, meaning: 'size', next: 'Send fewer or smaller images' },
    { status: 415, meaning: 'does not accept JSON', next: 'AZURE_OPENAI_ENDPOINT' },
    { status: 422, meaning: 'could not process the request', next: 'Check the request' },
    { status: 424, meaning: 'depends on another service', next: 'Try again' },
    { status: 431, meaning: 'headers', next: 'Send less' },
    { status: 451, meaning: 'legal', next: 'another region' },
    { status: 499, meaning: 'proxy', next: 'log' },
    { status: 500, meaning: 'failed (500)', next: 'Try again' },
    { status: 503, meaning: 'overloaded', next: 'Retry-After' },
    { status: 599, meaning: 'failed (599)', next: 'Try again' },
  ])('$status becomes upstream_error that says "$meaning" and "$next"', async ({ status, meaning, next }) => {
    for (const body of [{}, html('x'), { body: '' }]) {
      azure.reset();
      const { problem } = await ask({ status, ...body });
      expect(problem).toMatchObject({ code: 'upstream_error', members: { upstreamStatus: status } });
      expect(problem?.detail).toContain(meaning);
      expect(problem?.detail).toContain(next);
      expect(problem?.detail).not.toContain('attempts');
    }
  });

  test('the detail says how many attempts were made, if there were several', async () => {
    const retried = await ask({ status: 500, headers: { 'retry-after-ms': '1' } }, {}, { UPSTREAM_MAX_RETRIES: '2' });
    expect(retried.problem?.detail).toContain('on each of 3 attempts');
    azure.reset();
    const once = await ask({ status: 424 }, {}, { UPSTREAM_MAX_RETRIES: '2' });
    expect(once.problem?.detail).not.toContain('attempt');
    expect(azure.model.requests).toHaveLength(1);
  });

  test.each([429, 500, 503])('passes on the Retry-After of a %d', async (status) => {
    const { problem } = await ask({ status, headers: { 'retry-after': '30' } });
    expect(problem?.headers['retry-after']).toBe('30');
  });

  test("Azure's own 408 becomes upstream_timeout", async () => {
    const { problem } = await ask({ status: 408, body: error('Timeout', 'The operation was timeout.') });
    expect(problem?.code).toBe('upstream_timeout');
  });
});

describe('a 403', () => {
  test.each([
    { sent: '600', message: 'Out of call volume quota. Quota will be replenished in 00:10:00.', passedOn: '600' },
    {
      sent: undefined,
      message: 'Out of call volume quota. Quota will be replenished in 01:10:05.',
      passedOn: '4205',
    },
    { sent: undefined, message: 'Rate limit is exceeded. Try again in 23 seconds.', passedOn: '23' },
    { sent: undefined, message: 'Token quota is exceeded.', passedOn: undefined },
  ])('about a quota becomes rate_limited, Retry-After $passedOn: $message', async ({ sent, message, passedOn }) => {
    const headers: Record<string, string> = sent ? { 'retry-after': sent } : {};
    for (const body of [{ statusCode: 403, message }, error('403', message), { error: message }]) {
      azure.reset();
      const { problem } = await ask({ status: 403, headers, body });
      expect(problem?.code).toBe('rate_limited');
      expect(problem?.headers['retry-after']).toBe(passedOn);
    }
  });

  test.each([
    { reason: 'role', fault: { body: error('PermissionDenied', 'Principal does not have access to API/Operation.') } },
    { reason: 'role', fault: { body: error('403', 'The principal lacks the required data action') } },
    { reason: 'network', fault: { body: error('403', 'Access denied due to Virtual Network/Firewall rules.') } },
    { reason: 'gateway', fault: html('403 Forbidden') },
    { reason: 'gateway', fault: { body: '' } },
    { reason: 'gateway', fault: { body: { statusCode: 403, message: 'Forbidden' } } },
    {
      reason: 'resource',
      fault: {
        body: error(
          'Forbidden',
          'Your resource has been temporarily blocked because it may violate our content policy.',
        ),
      },
    },
    { reason: 'resource', fault: { body: error('403', 'Forbidden') } },
  ])('becomes model_access_denied with the reason "$reason": $fault', async ({ reason, fault }) => {
    const { problem } = await ask({ status: 403, ...fault });
    expect(problem).toMatchObject({ code: 'model_access_denied', members: { reason } });
    expect(problem?.detail.includes('it lacks the role')).toBe(reason === 'role');
    expect(problem?.detail.includes('az role assignment create')).toBe(reason === 'role');
  });

  test('says that the resource is blocked if the message says "suspended"', async () => {
    const { problem } = await ask({ status: 403, body: error('Forbidden', 'Your resource has been suspended.') });
    expect(problem?.detail).toContain('the resource is blocked');
  });
});

test.each([
  [401, { statusCode: 401, message: 'Access denied due to missing subscription key.' }, 'gateway'],
  [401, '<html>Sign in</html>', 'gateway'],
  [401, { statusCode: 401, message: 'Unauthorized. Access token is missing, invalid, or expired.' }, 'token'],
  [401, error('401', 'Unauthorized'), 'token'],
])('a %d with the body %j has the reason "%s"', async (status, body, reason) => {
  expect((await ask({ status, body })).problem?.members['reason']).toBe(reason);
});

describe('a refusal, recognized by its code or its message', () => {
  test.each([
    [error('content_filter', 'x')],
    [error('content_policy_violation', 'Your request was rejected as a result of our safety system.')],
    [error('invalid_prompt', 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.')],
    [error(null, 'Your input image may contain content that is not allowed by our safety system.')],
    [error('400', "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.")],
    [error('ResponsibleAIPolicyViolation', 'x')],
    [{ code: 'content_filter', message: 'flat' }],
    [{ error: { inner_error: { content_filter_results: { jailbreak: { filtered: true } } }, message: 'x' } }],
  ])('%j becomes content_filtered', async (body) => {
    for (const isCallersOwn of [true, false]) {
      azure.reset();
      expect((await ask({ status: 400, body }, { isCallersOwn })).problem?.code).toBe('content_filtered');
    }
  });

  test.each([
    [error('invalid_image', 'Image is too small.')],
    [error('invalid_image_format', 'You uploaded it wrong.')],
    [error('image_parse_error', 'x')],
    [error('BadRequest', 'Invalid image data.')],
    [error(null, 'The provided image is invalid.')],
    [error(null, 'Image is too small.')],
    [error(null, 'You uploaded an unsupported image. Please make sure your image is of one the following formats.')],
    [error(null, 'The image data you provided does not represent a valid image.')],
    [error(null, 'Exceeded maximum number of images (50) allowed in the request.')],
    [error('invalid_base64', 'Failed to decode image.')],
  ])('%j becomes image_rejected, with the message of the service', async (body) => {
    const { problem } = await ask({ status: 400, body });
    expect(problem).toMatchObject({ code: 'image_rejected', detail: expect.stringContaining(body.error.message) });
  });

  test.each([
    { route: 'processImage', isCallersOwn: false },
    { route: 'chat and responses', isCallersOwn: true },
  ])('$route: too many patches become image_rejected, and the advice is detail "high"', async ({ isCallersOwn }) => {
    const message = 'Image requires 41334 patches after processing, exceeding the limit of 30000.';
    for (const code of [null, 'invalid_value', 'image_parse_error']) {
      const { problem } = await ask({ status: 400, body: error(code, message) }, { isCallersOwn });
      expect(problem).toMatchObject({ code: 'image_rejected', detail: expect.stringMatching(/41334.+detail "high"/) });
    }
  });

  test.each([
    [400, error('BadRequest', 'API version not supported')],
    [400, error('BadRequest', 'Model o3-mini is enabled only for api versions 2024-12-01-preview and later')],
    [400, error('UnsupportedApiVersion', 'x')],
    [404, error('404', 'The api-version 2020-01-01 does not exist.')],
  ])('%d %j becomes upstream_error that names OPENAI_API_VERSION, even for callers of chat', async (status, body) => {
    const { problem } = await ask({ status, body }, { isCallersOwn: true });
    expect(problem).toMatchObject({ code: 'upstream_error', detail: expect.stringContaining('OPENAI_API_VERSION') });
  });

  test('says so if the model cannot see images', async () => {
    const body = error(null, 'Invalid content type. image_url is only supported by certain models.');
    const { problem } = await ask({ status: 400, body });
    expect(problem).toMatchObject({ code: 'upstream_error', detail: expect.stringContaining('cannot see images') });
  });
});

describe('a 400', () => {
  const cases = [
    error('unsupported_parameter', "Unsupported parameter: 'max_tokens'.", { param: 'max_tokens' }),
    error('unsupported_value', "'temperature' does not support 0.", { param: 'temperature' }),
    error('invalid_value', "Invalid value: 'file'.", { param: 'messages[0].content[0].type' }),
    error('context_length_exceeded', "This model's maximum context length is 8192 tokens.", { param: 'messages' }),
    error(null, 'Unrecognized request argument supplied: foo'),
  ];
  test.each(cases)('about parameters of the caller: invalid_request with its message: $error.code', async (body) => {
    const { code, message, param } = body.error;
    const { problem } = await ask({ status: 400, body }, { isCallersOwn: true });
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400, detail: message, members: { param } });
    expect(problem?.members['code']).toBe(code ?? undefined);
  });

  test.each(cases)('about parameters of the app: upstream_error without its message: $error.code', async (body) => {
    const { problem } = await ask({ status: 400, body });
    expect(problem).toMatchObject({ code: 'upstream_error', status: 502 });
    expect(problem?.detail).not.toContain(body.error.message);
  });

  test.each([html('Bad Request'), { body: '' }, { body: error('OperationNotSupported', 'x') }])(
    'that says nothing about the parameters becomes a 502: %j',
    async (fault) => {
      expect((await ask({ status: 400, ...fault }, { isCallersOwn: true })).problem?.status).toBe(502);
    },
  );
});
