import { expect, test } from 'vitest';
import { negotiate } from '../../src/http/negotiate.ts';

test.each([
  [null, 'text/plain'],
  ['*/*', 'text/plain'],
  ['text/*', 'text/plain'],
  ['application/json', 'application/json'],
  ['APPLICATION/JSON; charset=utf-8', 'application/json'],
  ['text/plain;q=0.5, application/json', 'application/json'],
  ['application/json;q=0.1, text/plain;q=0.2', 'text/plain'],
  ['application/json, text/plain, */*', 'application/json'],
  ['image/*, */*;q=0.1', 'text/plain'],
  ['text/plain;q=0, */*', 'application/json'],
])('%s gets %s', async (accept, kind) => {
  expect(await negotiate(accept)).toBe(kind);
});

test.each(['text/html', 'application/json;q=0', 'image/png, text/html'])('%s allows none', async (accept) => {
  await expect(negotiate(accept)).rejects.toThrow(expect.objectContaining({ status: 406, code: 'not_acceptable' }));
});
