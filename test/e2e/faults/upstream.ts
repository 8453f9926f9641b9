import { expect } from 'vitest';
import type { Fault as ModelFault } from '../../../src/dev/emulator/fault.ts';
import type { Expected, Fault } from './fault.ts';
import { RETRIES } from './pairs.ts';

const EVERY_ATTEMPT = 1 + RETRIES;
/** Upstream's own words, which reach a caller only where the contract says so. */
const SECRET = 'words-of-upstream';

const filtered = { filtered: true, severity: 'high' };
const safe = { filtered: false, severity: 'safe' };
const html = '<h1>words-of-upstream</h1>';

const says = (code: string | null, message = SECRET): ModelFault => ({
  status: 400,
  body: { error: { code, message } },
});
const busy = (headers: Record<string, string> = {}): ModelFault => ({ status: 429, headers });
const soon = { 'retry-after-ms': '1' };
const told = (status: number, code: string, calls = 1, more: Partial<Expected> = {}): Expected => ({
  status,
  code,
  calls,
  ...more,
});
const broken = told(502, 'upstream_error');
const answered = (calls: number): Expected => told(200, 'answer', calls);

/** Every request to the model goes wrong. */
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
    told(422, 'content_filtered', 1, {
      problem: {
        categories: [
          { category: 'violence', severity: 'high', source: 'prompt' },
          { category: 'jailbreak', severity: null, source: 'prompt' },
        ],
      },
    }),
  ],
  ['400 invalid_image_format', says('invalid_image_format', 'You uploaded it wrong.'), told(422, 'image_rejected')],
  ['400 image_parse_error', says('image_parse_error'), told(422, 'image_rejected')],
  ['400 about the image in words alone', says(null, 'Invalid image data.'), told(422, 'image_rejected')],
  ['400 of a page', { status: 400, body: html }, broken],
  [
    '401',
    { status: 401 },
    told(502, 'model_access_denied', 1, { problem: { role: 'Cognitive Services OpenAI User' } }),
  ],
  [
    '403',
    { status: 403 },
    told(502, 'model_access_denied', 1, { problem: { role: 'Cognitive Services OpenAI User' } }),
  ],
  [
    '403 of a gateway, flat',
    { status: 403, body: { statusCode: 403, message: SECRET } },
    told(502, 'model_access_denied'),
  ],
  ['404', { status: 404 }, told(502, 'deployment_not_found')],
  ['410', { status: 410 }, told(502, 'deployment_not_found')],
  ['408', { status: 408, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  ['409', { status: 409, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  ['413', { status: 413 }, broken],
  ['415', { status: 415 }, broken],
  ['422', { status: 422 }, broken],
  ['429, come again at once', busy(soon), told(429, 'rate_limited', EVERY_ATTEMPT)],
  [
    '429, come again in a second',
    busy({ 'retry-after': '1' }),
    told(429, 'rate_limited', EVERY_ATTEMPT, { headers: { 'retry-after': '1' } }),
  ],
  [
    '429, come again after the deadline',
    busy({ 'retry-after': '30' }),
    told(429, 'rate_limited', 1, { headers: { 'retry-after': '30' } }),
  ],
  [
    '429, come again in two minutes',
    busy({ 'retry-after': '120' }),
    told(429, 'rate_limited', 1, { headers: { 'retry-after': '120' } }),
  ],
  ['429, come again on a day', busy({ 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }), told(429, 'rate_limited')],
  ['429 without a word of when', busy(), told(429, 'rate_limited', EVERY_ATTEMPT)],
  ['500', { status: 500, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  [
    '500 with a stack in HTML',
    { status: 500, headers: soon, body: html.repeat(10_000) },
    { ...broken, calls: EVERY_ATTEMPT },
  ],
  ['502', { status: 502, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  ['503', { status: 503, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  ['503, come again after the deadline', { status: 503, headers: { 'retry-after': '30' } }, broken],
  ['504', { status: 504, headers: soon }, { ...broken, calls: EVERY_ATTEMPT }],
  [
    'a redirect, which would take the token elsewhere',
    { status: 307, headers: { location: 'http://127.0.0.1:9/' }, body: SECRET },
    broken,
  ],
  ['HTML with 200', { headers: { 'content-type': 'text/html' }, body: html }, broken],
  ['HTML that says it is JSON', { headers: { 'content-type': 'application/json' }, body: html }, broken],
  ['text with 200', { body: SECRET }, broken],
  ['nothing with 200', { headers: { 'content-type': 'application/json' }, body: '' }, broken],
  ['204', { status: 204, headers: { 'content-type': 'application/json' }, body: '' }, broken],
  ['null with 200', { headers: { 'content-type': 'application/json' }, body: 'null' }, broken],
  ['a list with 200', { body: [] }, broken],
  ['an object that is no completion', { body: { message: SECRET } }, broken],
  ['a completion without a choice', { body: { id: 'c', object: 'chat.completion', model: 'm', choices: [] } }, broken],
  [
    'JSON that breaks off, though it says it is whole',
    { headers: { 'content-type': 'application/json' }, body: '{"id":"c","choices":[{"mess' },
    broken,
  ],
  ['a connection dropped before the answer', { breakOff: 'before-headers' }, { ...broken, calls: EVERY_ATTEMPT }],
  [
    'headers too large to take',
    { status: 200, headers: { 'x-large': 'x'.repeat(40_000) } },
    { ...broken, calls: EVERY_ATTEMPT },
  ],
  ['silence', { silent: true }, told(504, 'upstream_timeout')],
  ['an answer after the deadline', { delayMs: 20_000 }, told(504, 'upstream_timeout')],
];

/** What goes wrong once and then no more, or is only slow: nobody sees it. */
const passing: readonly (readonly [name: string, fault: ModelFault, calls: number])[] = [
  ['500 once', { status: 500, headers: soon }, 2],
  ['503 once', { status: 503, headers: soon }, 2],
  ['408 once', { status: 408, headers: soon }, 2],
  ['429 once', busy(soon), 2],
  ['a connection dropped once', { breakOff: 'before-headers' }, 2],
  ['half a second of thought', { delayMs: 500 }, 1],
];

/** Faults of the model's side, told by a status whatever the way of asking. */
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
    name: '400 about a parameter, which a chat client has sent and can mend',
    before: ({ azure }) => azure.model.fail(says('unsupported_value'), Infinity),
    expected: ({ body }) =>
      body === 'chat'
        ? told(400, 'unsupported_value', 1, {
            problem: { detail: SECRET, type: 'invalid_request_error', param: null },
            headers: { 'x-should-retry': 'false' },
          })
        : { ...broken, problem: { detail: expect.not.stringContaining(SECRET) } },
  },
  {
    name: 'tokens that are revoked',
    before: ({ azure }) => azure.revoke(),
    expected: told(502, 'model_access_denied'),
  },
  ...passing.map(
    ([name, fault, calls]) =>
      ({ name, before: ({ azure }) => azure.model.fail(fault), expected: answered(calls) }) satisfies Fault,
  ),
];
