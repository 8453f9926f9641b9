import { expect } from 'vitest';
import type { Fault as ModelFault } from '../../../src/dev/emulator/fault.ts';
import type { Expected, Fault } from './fault.ts';
import { RETRIES } from './pairs.ts';

const EVERY_ATTEMPT = 1 + RETRIES;
/** The message of the model's errors. It reaches a caller only where the contract says so. */
const SECRET = 'words-of-upstream';

const filtered = { filtered: true, severity: 'high' };
const safe = { filtered: false, severity: 'safe' };
const html = '<h1>words-of-upstream</h1>';

const badRequest = (code: string | null, message = SECRET): ModelFault => ({
  status: 400,
  body: { error: { code, message } },
});
const tooManyRequests = (headers: Record<string, string> = {}): ModelFault => ({ status: 429, headers });
const soon = { 'retry-after-ms': '1' };
const outcome = (status: number, code: string, calls = 1, more: Partial<Expected> = {}): Expected => ({
  status,
  code,
  calls,
  ...more,
});
const upstreamError = outcome(502, 'upstream_error');
const answered = (calls: number): Expected => outcome(200, 'answer', calls);

/** Faults of every request to the model. */
const always: readonly (readonly [name: string, fault: ModelFault, expected: Expected])[] = [
  [
    '400 content_filter',
    {
      status: 400,
      body: {
        error: {
          code: 'content_filter',
          message: SECRET,
          innererror: {
            code: 'ResponsibleAIPolicyViolation',
            content_filter_result: { violence: filtered, hate: safe, jailbreak: { filtered: true, detected: true } },
          },
        },
      },
    },
    outcome(422, 'content_filtered', 1, {
      problem: {
        categories: [
          { category: 'violence', severity: 'high', source: 'prompt' },
          { category: 'jailbreak', severity: null, source: 'prompt' },
        ],
      },
    }),
  ],
  [
    '400 invalid_image_format',
    badRequest('invalid_image_format', 'You uploaded it wrong.'),
    outcome(422, 'image_rejected'),
  ],
  ['400 image_parse_error', badRequest('image_parse_error'), outcome(422, 'image_rejected')],
  ['400 with the image only in its message', badRequest(null, 'Invalid image data.'), outcome(422, 'image_rejected')],
  ['400 with an HTML page', { status: 400, body: html }, upstreamError],
  [
    '401',
    { status: 401 },
    outcome(502, 'model_access_denied', 1, { problem: { role: 'Cognitive Services OpenAI User' } }),
  ],
  [
    '403',
    { status: 403 },
    outcome(502, 'model_access_denied', 1, { problem: { role: 'Cognitive Services OpenAI User' } }),
  ],
  [
    '403 of a gateway, in a shape of its own',
    { status: 403, body: { statusCode: 403, message: SECRET } },
    outcome(502, 'model_access_denied'),
  ],
  ['404', { status: 404 }, outcome(502, 'deployment_not_found')],
  ['410', { status: 410 }, outcome(502, 'deployment_not_found')],
  ['408', { status: 408, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  ['409', { status: 409, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  ['413', { status: 413 }, upstreamError],
  ['415', { status: 415 }, upstreamError],
  ['422', { status: 422 }, upstreamError],
  ['429, retry at once', tooManyRequests(soon), outcome(429, 'rate_limited', EVERY_ATTEMPT)],
  [
    '429, retry after a second',
    tooManyRequests({ 'retry-after': '1' }),
    outcome(429, 'rate_limited', EVERY_ATTEMPT, { headers: { 'retry-after': '1' } }),
  ],
  [
    '429, retry after the deadline',
    tooManyRequests({ 'retry-after': '30' }),
    outcome(429, 'rate_limited', 1, { headers: { 'retry-after': '30' } }),
  ],
  [
    '429, retry after two minutes',
    tooManyRequests({ 'retry-after': '120' }),
    outcome(429, 'rate_limited', 1, { headers: { 'retry-after': '120' } }),
  ],
  [
    '429, retry after a date',
    tooManyRequests({ 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }),
    outcome(429, 'rate_limited'),
  ],
  ['429 without a time to retry', tooManyRequests(), outcome(429, 'rate_limited', EVERY_ATTEMPT)],
  ['500', { status: 500, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  [
    '500 with a large HTML page',
    { status: 500, headers: soon, body: html.repeat(10_000) },
    { ...upstreamError, calls: EVERY_ATTEMPT },
  ],
  ['502', { status: 502, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  ['503', { status: 503, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  ['503, retry after the deadline', { status: 503, headers: { 'retry-after': '30' } }, upstreamError],
  ['504', { status: 504, headers: soon }, { ...upstreamError, calls: EVERY_ATTEMPT }],
  [
    'a redirect, which could leak the token',
    { status: 307, headers: { location: 'http://127.0.0.1:9/' }, body: SECRET },
    upstreamError,
  ],
  ['200 with HTML', { headers: { 'content-type': 'text/html' }, body: html }, upstreamError],
  [
    '200 with HTML that is labelled as JSON',
    { headers: { 'content-type': 'application/json' }, body: html },
    upstreamError,
  ],
  ['200 with text', { body: SECRET }, upstreamError],
  ['200 with an empty body', { headers: { 'content-type': 'application/json' }, body: '' }, upstreamError],
  ['204', { status: 204, headers: { 'content-type': 'application/json' }, body: '' }, upstreamError],
  ['200 with null', { headers: { 'content-type': 'application/json' }, body: 'null' }, upstreamError],
  ['200 with an array', { body: [] }, upstreamError],
  ['200 with JSON that is not a completion', { body: { message: SECRET } }, upstreamError],
  [
    '200 with a completion without choices',
    { body: { id: 'c', object: 'chat.completion', model: 'm', choices: [] } },
    upstreamError,
  ],
  [
    '200 with truncated JSON',
    { headers: { 'content-type': 'application/json' }, body: '{"id":"c","choices":[{"mess' },
    upstreamError,
  ],
  [
    'a connection dropped before the answer',
    { breakOff: 'before-headers' },
    { ...upstreamError, calls: EVERY_ATTEMPT },
  ],
  [
    'response headers that are too large',
    { status: 200, headers: { 'x-large': 'x'.repeat(40_000) } },
    { ...upstreamError, calls: EVERY_ATTEMPT },
  ],
  ['no response', { silent: true }, outcome(504, 'upstream_timeout')],
  ['an answer after the deadline', { delayMs: 20_000 }, outcome(504, 'upstream_timeout')],
];

/** A fault that happens only once, or a slow answer: the caller does not notice it. */
const temporary: readonly (readonly [name: string, fault: ModelFault, calls: number])[] = [
  ['500 once', { status: 500, headers: soon }, 2],
  ['503 once', { status: 503, headers: soon }, 2],
  ['408 once', { status: 408, headers: soon }, 2],
  ['429 once', tooManyRequests(soon), 2],
  ['a connection dropped once', { breakOff: 'before-headers' }, 2],
  ['an answer that takes half a second', { delayMs: 500 }, 1],
];

/** Faults of the model. In every way of asking, they are answered with a status. */
export const upstreamFaults: readonly Fault[] = [
  ...always.map(
    ([name, fault, expected]) =>
      ({
        name,
        before: ({ azure }) => azure.model.fail(fault, Infinity),
        expected: {
          ...expected,
          problem: {
            ...expected.problem,
            ...(expected.code === 'image_rejected' ? {} : { detail: expect.not.stringContaining(SECRET) }),
          },
        },
      }) satisfies Fault,
  ),
  {
    name: '400 about a parameter',
    before: ({ azure }) => azure.model.fail(badRequest('unsupported_value'), Infinity),
    expected: ({ body }) =>
      body === 'chat'
        ? outcome(400, 'unsupported_value', 1, {
            problem: { detail: SECRET, type: 'invalid_request_error', param: null },
            headers: { 'x-should-retry': 'false' },
          })
        : { ...upstreamError, problem: { detail: expect.not.stringContaining(SECRET) } },
  },
  {
    name: 'revoked tokens',
    before: ({ azure }) => azure.revoke(),
    expected: outcome(502, 'model_access_denied'),
  },
  ...temporary.map(
    ([name, fault, calls]) =>
      ({ name, before: ({ azure }) => azure.model.fail(fault), expected: answered(calls) }) satisfies Fault,
  ),
];
