import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { negotiate } from '../../src/http/negotiate.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

test.each([
  [null, 'text/plain'],
  ['', 'text/plain'],
  ['  ', 'text/plain'],
  ['*/*', 'text/plain'],
  ['*', 'text/plain'],
  ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', 'text/plain'],
  ['application/json, *;q=0.5', 'application/json'],
  ['text/*', 'text/plain'],
  ['application/json', 'application/json'],
  ['APPLICATION/JSON; charset=utf-8', 'application/json'],
  ['text/plain; charset=iso-8859-1', 'text/plain'],
  ['application/json;odata=verbose', 'application/json'],
  ['application/json;odata.metadata=minimal;q=0.9, text/plain;format=flowed;q=0.8', 'application/json'],
  ['application/json;profile="https://example.com/a,b;q=0"', 'application/json'],
  ['application/json;profile="a \\" b;q=0";q=0.3, text/plain;q=0.2', 'application/json'],
  ['text/event-stream;version', 'text/event-stream'],
  ['text/plain;q=0.5, application/json', 'application/json'],
  ['application/json;q=0.1, text/plain;q=0.2', 'text/plain'],
  ['application/json, text/plain, */*', 'application/json'],
  ['image/*, */*;q=0.1', 'text/plain'],
  ['text/plain;q=0, */*', 'application/json'],
])('Accept "%s" gets %s', (accept, type) => {
  expect(negotiate(accept)).toBe(type);
});

test.each(['text/html', 'application/json;q=0', 'image/png, text/html', 'image/*', ',,;', 'json'])(
  'Accept "%s" gets a 406',
  (accept) => {
    expect(() => negotiate(accept)).toThrow(expect.objectContaining({ status: 406, code: 'not_acceptable' }));
  },
);

test('reads only the first 1,024 characters, because a long header would be slow to parse', () => {
  const before = (ranges: number): string => `${'image/png,'.repeat(ranges)}application/json`;
  expect(outcome(before(100))).toBe('application/json');
  expect(outcome(before(103))).toBe('none');

  for (const header of [`a${' '.repeat(64_000)}b`, `text/plain;a${' '.repeat(64_000)}x`, '*,'.repeat(32_000)]) {
    expect(['text/plain', 'none']).toContain(outcome(header));
  }
});

test('parameters other than q do not change the result', () => {
  const range = fc.constantFrom('text/plain', 'application/json', 'text/event-stream', 'image/png', 'text/*', '*/*');
  const quality = fc.constantFrom('', ';q=0', ';q=0.3', '; Q=1', ' ; q = 0.7');
  const parameter = fc
    .tuple(fc.constantFrom('charset', 'odata', 'v', 'qs', 'level'), fc.constantFrom('', '=1', '="a;q=0,b"', '=utf-8 '))
    .map(([name, value]) => `; ${name}${value}`);
  const ranges = fc.array(fc.tuple(range, parameter, quality), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(ranges, (all) => {
      const plain = outcome(all.map(([type, , q]) => type + q).join(','));
      expect(outcome(all.map(([type, extra, q]) => type + extra + q).join(', '))).toBe(plain);
      expect(outcome(all.map(([type, extra, q]) => type + q + extra).join(','))).toBe(plain);
    }),
    runs(INPUTS),
  );
});

function outcome(accept: string): string {
  try {
    return negotiate(accept);
  } catch {
    return 'none';
  }
}
