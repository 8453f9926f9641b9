import { expect, test } from 'vitest';
import { conforms, type ReceivedResponse } from './conforms.ts';

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

const answer = (type: string, text: string, over: Partial<ReceivedResponse> = {}): ReceivedResponse => ({
  method: 'POST',
  url: 'http://127.0.0.1/api/processImage?instructions=x',
  status: 200,
  headers: new Headers({ ...HEADERS, 'content-type': type }),
  text,
  ...over,
});

test.each([
  { what: 'text', response: answer('text/plain; charset=utf-8', 'A boat.') },
  { what: 'a problem', response: answer('application/problem+json', JSON.stringify(PROBLEM), { status: 415 }) },
  {
    what: 'events and comments',
    response: answer(
      'text/event-stream',
      `: still here\n\nevent: delta\ndata: {"text":"A boat."}\n\nevent: error\ndata: ${JSON.stringify(PROBLEM)}\n\n`,
    ),
  },
])('accepts a response that openapi.json describes: $what', ({ response }) => {
  expect(() => conforms(response)).not.toThrow();
});

test.each([
  {
    what: 'an undocumented path',
    response: answer('text/plain', 'x', { url: 'http://127.0.0.1/api/nowhere' }),
    message: 'no POST /nowhere',
  },
  {
    what: 'an undocumented method',
    response: answer('text/plain', 'x', { method: 'GET' }),
    message: 'no GET /processImage',
  },
  { what: 'an undocumented status', response: answer('text/plain', 'x', { status: 418 }), message: 'with 418' },
  { what: 'an undocumented Content-Type', response: answer('text/html', 'x'), message: '"text/html"' },
  {
    what: 'a missing header',
    response: answer('text/plain', 'x', { headers: new Headers({ 'content-type': 'text/plain' }) }),
    message: 'x-request-id is missing',
  },
  {
    what: 'an undocumented value of a header',
    response: answer('text/plain', 'x', {
      headers: new Headers({ ...HEADERS, 'content-type': 'text/plain', 'cache-control': 'public' }),
    }),
    message: 'header cache-control',
  },
  {
    what: 'an undocumented member',
    response: answer('application/problem+json', JSON.stringify({ ...PROBLEM, more: 1 }), { status: 415 }),
    message: '"more"',
  },
  {
    what: 'a missing member',
    response: answer('application/problem+json', JSON.stringify({ ...PROBLEM, requestId: undefined }), { status: 415 }),
    message: "'requestId'",
  },
  {
    what: 'a code that belongs to another status',
    response: answer('application/problem+json', JSON.stringify(PROBLEM), { status: 422 }),
    message: 'body',
  },
  {
    what: 'an undocumented event',
    response: answer('text/event-stream', 'event: hello\ndata: {}\n\n'),
    message: 'events/0/event',
  },
  {
    what: 'an undocumented member of an event',
    response: answer('text/event-stream', 'event: delta\ndata: {"words":"x"}\n\n'),
    message: '"words"',
  },
])('rejects a response with $what', ({ response, message }) => {
  expect(() => conforms(response)).toThrow(message);
});
