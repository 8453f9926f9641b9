import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/request/data-url.ts';
import { PIECE_BYTES } from '../../src/request/charset.ts';
import { LargeJson } from '../../src/request/large-json.ts';
import { Problem } from '../../src/http/problem.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

/** A string of this length is kept from JSON.parse. */
const LONG = 5_000;

/** Strings below and above that length, with characters that make it harder to find their end. */
const someText = madeOf('', '"', '\\', '\\"', '\n', 'é', '\u007F', '\u2028', '\uD83D\uDE00', '[', '}');
// Names that need no escape, because JSON.parse of Node 24 sometimes mistakes an escaped name for an earlier one.
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
/** Valid JSON in the styles of several encoders. */
const document = fc.tuple(value, fc.constantFrom(undefined, 1, '\t'), fc.boolean()).map(([made, space, ascii]) => {
  const json = JSON.stringify(made, undefined, space);
  return ascii ? json.replaceAll(/[^\0-~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : json;
});
/** The same with one character removed or replaced, which may leave it valid. */
const changed = fc
  .tuple(
    document,
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.constantFrom('', '"', '\\', ',', ':', '[', ']', '{', '}', '0', '\0', '\n'),
  )
  .map(([json, where, character]) => {
    const at = Math.floor(where * json.length);
    return (json.slice(0, at) + character + json.slice(at + 1)).toWellFormed();
  });

test('reads any JSON document like JSON.parse', async () => {
  await fc.assert(
    fc.asyncProperty(document, async (json) => isDeepStrictEqual(await read(json), JSON.parse(json))),
    runs(INPUTS * 2),
  );
});

test('refuses a document if and only if JSON.parse refuses it', async () => {
  await fc.assert(
    fc.asyncProperty(changed, async (json) => isDeepStrictEqual(await read(json), parse(json))),
    runs(INPUTS * 2),
  );
});

test('reads a long string like JSON.parse, also if a piece ends within an escape or a character', async () => {
  const unit = fc.constantFrom('A', '\\n', '\\"', '\\\\', '\\/', '\\u00e9', '\\ud83d\\ude00', 'é', '字', '😀');
  const text = fc.tuple(fc.nat(24), fc.array(unit, { minLength: 1, maxLength: 24 }), fc.nat(24)).map(
    // Two pieces end within the repeated units.
    ([before, units, more]) =>
      'x'.repeat(PIECE_BYTES - before) +
      units.join('').repeat(4) +
      'y'.repeat(PIECE_BYTES - more) +
      units.join('').repeat(4),
  );
  await fc.assert(
    fc.asyncProperty(text, async (made) => {
      const json = `{"text":"${made}"}`;
      expect(isDeepStrictEqual(await read(json), JSON.parse(json))).toBe(true);
    }),
    runs(INPUTS / 10),
  );
});

describe('half of a surrogate pair', () => {
  test.each([
    '{"a":"\\ud83d"}',
    '{"a":"\\ude00\\ud83d"}',
    '{"\\uDC00":1}',
    '["x",{"a":["\\uD800x"]}]',
    `{"a":"${'x'.repeat(LONG)}\\ud83d"}`,
  ])('is refused: %#', async (json) => {
    await expect(restored(json)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('surrogate'),
    });
  });

  test.each(['{"a":"\\ud83d\\ude00"}', '{"a":"\\\\ud83d"}'])('is not found in %s', async (json) => {
    expect(await restored(json)).toEqual(JSON.parse(json));
  });
});

test.each([LONG, 1])('refuses text that is not UTF-8 (%d bytes)', async (length) => {
  const body = Buffer.from(`{"a":"${'é'.repeat(length)}"}`, 'latin1');
  await expect(LargeJson.read(body).then(async (json) => json.restore(json.value))).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('UTF-8'),
  });
});

test.each([
  { what: 'too much text in total', json: JSON.stringify(Array.from({ length: 1_100 }, () => 'x'.repeat(4_000))) },
  { what: 'a string that is too long', json: `{"a":"${'x'.repeat(4_200_000)}"}` },
  { what: 'too much white space', json: `[1${' '.repeat(4_200_000)}]` },
  { what: 'too many items', json: `[${'[],'.repeat(60_000)}1]` },
  { what: 'nesting that is too deep', json: `${'['.repeat(101)}${']'.repeat(101)}` },
])('refuses $what', async ({ json }) => {
  await expect(restored(json)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining(' more than '),
  });
});

test('ignores a byte order mark at the beginning', async () => {
  expect(await restored('\uFEFF{"a":1}')).toEqual({ a: 1 });
});

test('lets other work run while it reads a large document', async () => {
  for (const text of ['A'.repeat(30_000_000), '\\"'.repeat(15_000_000), 'A '.repeat(15_000_000)]) {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const json = await LargeJson.read(Buffer.from(`{"images":["${text}"]}`));
    await decodeImage(
      { text: json.take(String((json.value as { images: string[] }).images[0])), field: 'f', mayBeBare: true },
      20_971_520,
    ).catch(() => undefined);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  }
});

describe('text of almost the maximum size', () => {
  test.each([
    { what: 'one escape in it', json: `{"a":"\\n${'x'.repeat(4_000_000)}"}` },
    { what: 'only escapes', json: `{"a":"${'\\"'.repeat(2_000_000)}"}` },
    { what: 'as a member name', json: `{"${'x'.repeat(4_000_000)}":1}` },
    { what: 'in many strings', json: JSON.stringify(Array.from({ length: 500 }, () => 'x'.repeat(LONG))) },
  ])('is read: $what', async ({ json }) => {
    expect(isDeepStrictEqual(await read(json), JSON.parse(json))).toBe(true);
  });
});

/** Reads a document and puts its long strings back. Returns undefined if it is refused with `invalid_request`. */
async function read(json: string): Promise<unknown> {
  try {
    return await restored(json);
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'invalid_request' });
    return undefined;
  }
}

async function restored(json: string): Promise<unknown> {
  const large = await LargeJson.read(Buffer.from(json));
  return large.restore(large.value);
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
