import { expect, test } from 'vitest';
import { conforms, type Seen } from './conforms.ts';

const HEADERS = {
  'x-request-id': 'a',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'server-timing': 'total;dur=1',
};
const PROBLEM = {
  type: 'urn:problem:animated_image',
  title: 'The image is animated',
  status: 415,
  detail: 'x',
  code: 'animated_image',
  requestId: 'a',
};

const seen = (type: string, text: string, over: Partial<Seen> = {}): Seen => ({
  method: 'POST',
  url: 'http://127.0.0.1/api/processImage?instructions=x',
  status: 200,
  headers: new Headers({ ...HEADERS, 'content-type': type }),
  text,
  ...over,
});

test.each([
  { what: 'text', response: seen('text/plain; charset=utf-8', 'A boat.') },
  { what: 'a problem', response: seen('application/problem+json', JSON.stringify(PROBLEM), { status: 415 }) },
  {
    what: 'events and comments',
    response: seen(
      'text/event-stream',
      `: still here\n\nevent: delta\ndata: {"text":"A boat."}\n\nevent: error\ndata: ${JSON.stringify(PROBLEM)}\n\n`,
    ),
  },
])('lets pass what openapi.json describes: $what', ({ response }) => {
  expect(() => conforms(response)).not.toThrow();
});

test.each([
  {
    what: 'route',
    response: seen('text/plain', 'x', { url: 'http://127.0.0.1/api/nowhere' }),
    told: 'no POST /nowhere',
  },
  { what: 'method', response: seen('text/plain', 'x', { method: 'GET' }), told: 'no GET /processImage' },
  { what: 'status', response: seen('text/plain', 'x', { status: 418 }), told: 'with 418' },
  { what: 'type', response: seen('text/html', 'x'), told: '"text/html"' },
  {
    what: 'lack of a header',
    response: seen('text/plain', 'x', { headers: new Headers({ 'content-type': 'text/plain' }) }),
    told: 'x-request-id is missing',
  },
  {
    what: 'value of a header',
    response: seen('text/plain', 'x', {
      headers: new Headers({ ...HEADERS, 'content-type': 'text/plain', 'cache-control': 'public' }),
    }),
    told: 'header cache-control',
  },
  {
    what: 'member',
    response: seen('application/problem+json', JSON.stringify({ ...PROBLEM, more: 1 }), { status: 415 }),
    told: '"more"',
  },
  {
    what: 'lack of a member',
    response: seen('application/problem+json', JSON.stringify({ ...PROBLEM, requestId: undefined }), { status: 415 }),
    told: "'requestId'",
  },
  {
    what: 'code at that status',
    response: seen('application/problem+json', JSON.stringify(PROBLEM), { status: 422 }),
    told: 'body',
  },
  { what: 'event', response: seen('text/event-stream', 'event: hello\ndata: {}\n\n'), told: 'events/0/event' },
  {
    what: 'member of an event',
    response: seen('text/event-stream', 'event: delta\ndata: {"words":"x"}\n\n'),
    told: '"words"',
  },
])('stops what it does not: a $what', ({ response, told }) => {
  expect(() => conforms(response)).toThrow(told);
});
