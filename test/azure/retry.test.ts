import { describe, expect, test } from 'vitest';
import { forbidHopelessRetry, retryAfterMs } from '../../src/azure/retry.ts';

describe('retryAfterMs', () => {
  test.each([
    [{}, undefined],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': '3', 'retry-after-ms': '250' }, 250],
    [{ 'retry-after': 'Fri, 01 Jan 1999 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
  ])('%j: returns %s', (headers, wait) => {
    expect(retryAfterMs(new Headers(headers))).toBe(wait);
  });

  test('returns the milliseconds until a date', () => {
    const date = new Date(Date.now() + 90_000).toUTCString();
    expect(retryAfterMs(new Headers({ 'retry-after': date }))).toBeGreaterThan(85_000);
  });
});

describe('forbidHopelessRetry', () => {
  test.each([
    {
      name: 'allows a retry if Retry-After fits into the remaining time',
      retryAfter: '1',
      remainingMs: 5_000,
      retries: 0,
      shouldRetry: null,
    },
    {
      name: 'forbids a retry if Retry-After is longer than the SDK supports',
      retryAfter: '61',
      remainingMs: 300_000,
      retries: 0,
      shouldRetry: 'false',
    },
    {
      name: 'forbids a retry if Retry-After is longer than the remaining time',
      retryAfter: '10',
      remainingMs: 9_000,
      retries: 0,
      shouldRetry: 'false',
    },
    {
      name: 'allows a retry without Retry-After if the back-off fits',
      retryAfter: undefined,
      remainingMs: 1_500,
      retries: 0,
      shouldRetry: null,
    },
    {
      name: 'forbids a retry without Retry-After if the back-off does not fit',
      retryAfter: undefined,
      remainingMs: 1_500,
      retries: 2,
      shouldRetry: 'false',
    },
  ])('$name', ({ retryAfter, remainingMs, retries, shouldRetry }) => {
    const response = new Response(null, { status: 429, headers: retryAfter ? { 'retry-after': retryAfter } : {} });
    const request = new Headers({ 'x-stainless-retry-count': String(retries) });
    forbidHopelessRetry(response, request, remainingMs);
    expect(response.headers.get('x-should-retry')).toBe(shouldRetry);
  });
});
