import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LargeJson } from '../../src/request/large-json.ts';
import { Problem } from '../../src/http/problem.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

/** Above what the parser is spared. */
const LONG = 5_000;
const NONE = new Map();

/** Texts on both sides of that, and of what can be in the way of finding their end. */
const someText = madeOf('', '"', '\\', '\\"', '\n', 'é', '\u007F', '\u2028', '\uD83D\uDE00', '[', '}');
// Without an escape: Node 24's own JSON.parse then takes one name for another, once it has seen certain others before.
const someName = fc.oneof(madeOf('', 'é', '{'), fc.constant('__proto__'));
const someNumber = fc.double({ noNaN: true, noDefaultInfinity: true });
const { value } = fc.letrec((again) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    someText,
    someNumber,
    fc.constantFrom(null, true, false),
    fc.array(again('value'), { maxLength: 4 }),
    fc.dictionary(someName, again('value'), { maxKeys: 4 }),
  ),
}));
/** Correct JSON as any encoder might write it, and then perhaps one character of it changed. */
const document = fc.tuple(value, fc.constantFrom(undefined, 1, '\t'), fc.boolean()).map(([made, space, ascii]) => {
  const json = JSON.stringify(made, undefined, space);
  return ascii ? json.replaceAll(/[^\0-~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : json;
});
const broken = fc
  .tuple(
    document,
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.constantFrom('', '"', '\\', ',', ':', '[', ']', '{', '}', '0', '\0', '\n'),
  )
  .map(([json, where, character]) => {
    const at = Math.floor(where * json.length);
    return (json.slice(0, at) + character + json.slice(at + 1)).toWellFormed();
  });

test('any JSON document is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(document, (json) => isDeepStrictEqual(read(json), JSON.parse(json))),
    runs(INPUTS * 2),
  );
});

test('what JSON.parse refuses is refused, and nothing else', () => {
  fc.assert(
    fc.property(broken, (json) => isDeepStrictEqual(read(json), parse(json))),
    runs(INPUTS * 2),
  );
});

describe('a text as large as a request may be', () => {
  test.each([
    { what: 'with an escape in it', json: `{"a":"\\n${'x'.repeat(4_000_000)}"}` },
    { what: 'all escapes', json: `{"a":"${'\\"'.repeat(2_000_000)}"}` },
    { what: 'as a name', json: `{"${'x'.repeat(4_000_000)}":1}` },
    { what: 'many of them', json: JSON.stringify(Array.from({ length: 500 }, () => 'x'.repeat(LONG))) },
  ])('is read in no time: $what', ({ json }) => {
    const started = performance.now();
    expect(isDeepStrictEqual(read(json), JSON.parse(json))).toBe(true);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

/** The document with its long texts put back, or undefined where it is refused as the contract has it. */
function read(json: string): unknown {
  try {
    const large = new LargeJson(Buffer.from(json));
    return large.restore(large.value, NONE);
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'invalid_request' });
    return undefined;
  }
}

function madeOf(...pieces: string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...pieces), fc.nat(3), fc.constantFrom(0, 0, 0, LONG))
    .map(([piece, times, long]) => piece.repeat(times) + 'A'.repeat(long));
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
