import { describe, expect, test } from 'vitest';
import { forbidHopelessRetry, retryAfterMs } from '../../src/azure/retry.ts';

describe('retryAfterMs', () => {
  test.each([
    [{}, undefined],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': '3', 'retry-after-ms': '250' }, 250],
    [{ 'retry-after': 'Fri, 01 Jan 1999 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
  ])('%j', (headers, wait) => {
    expect(retryAfterMs(new Headers(headers))).toBe(wait);
  });

  test('a date', () => {
    const date = new Date(Date.now() + 90_000).toUTCString();
    expect(retryAfterMs(new Headers({ 'retry-after': date }))).toBeGreaterThan(85_000);
  });
});

describe('forbidHopelessRetry', () => {
  test.each([
    { why: 'fits', retryAfter: '1', left: 5_000, retries: 0, verdict: null },
    { why: 'is longer than the SDK honours', retryAfter: '61', left: 300_000, retries: 0, verdict: 'false' },
    { why: 'is longer than what is left', retryAfter: '10', left: 9_000, retries: 0, verdict: 'false' },
    { why: 'is not told, and the back-off fits', retryAfter: undefined, left: 1_500, retries: 0, verdict: null },
    {
      why: 'is not told, and the back-off does not fit',
      retryAfter: undefined,
      left: 1_500,
      retries: 2,
      verdict: 'false',
    },
  ])('the wait $why', ({ retryAfter, left, retries, verdict }) => {
    const response = new Response(null, { status: 429, headers: retryAfter ? { 'retry-after': retryAfter } : {} });
    const request = new Headers({ 'x-stainless-retry-count': String(retries) });
    forbidHopelessRetry(response, request, left);
    expect(response.headers.get('x-should-retry')).toBe(verdict);
  });
});
