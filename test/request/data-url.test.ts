import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/request/data-url.ts';
import { PIECE_BYTES } from '../../src/request/charset.ts';
import { JsonText } from '../../src/request/json-text.ts';
import { LargeJson } from '../../src/request/large-json.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

const LIMIT = 1_000_000;

/** The parts of data URLs, valid and invalid. */
const space = fc.constantFrom('', '', '', ' ', '\t', '\n', '\r\n', '  \n');
const scheme = fc.constantFrom('data:', 'DATA:', 'Data:', 'da\tta:', 'data\n:');
const type = fc.constantFrom('', 'image/gif', 'IMAGE/PNG', 'image/svg+xml', 'text/plain', 'nonsense', ' image/gif ');
const parameter = fc.constantFrom(
  '',
  ';charset=utf-8',
  ';name=a%20b.png',
  ';base64',
  '; base64',
  ';   BASE64',
  ';base64 ',
  ';base64;x',
  ';base 64',
  ';ba\nse64',
  `;name=${'%E5%86%99'.repeat(80)}`,
  ';name="a b"',
);
const base64 = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const percentEncoded = base64.map((text) => encodeURIComponent(text));
const allEncoded = fc
  .uint8Array({ maxLength: 30 })
  .map((bytes) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
const odd = fc.string({
  unit: fc.constantFrom(
    'A',
    'b',
    '4',
    '+',
    '/',
    '=',
    '%',
    '%4',
    '%41',
    '%0A',
    ' ',
    '\t',
    '\n',
    'é',
    '😀',
    '#',
    '?',
    ',',
    '\u0001',
  ),
  maxLength: 10,
});
const data = fc.oneof(
  base64,
  percentEncoded,
  allEncoded,
  odd,
  fc.tuple(base64, odd).map((pair) => pair.join('')),
);
const dataUrl = fc
  .tuple(
    space,
    scheme,
    type,
    fc.array(parameter, { maxLength: 3 }),
    fc.constantFrom(',', ',', ',', ''),
    data,
    space,
    data,
    space,
  )
  .map((all) => all.flat().join(''));

test('decodes a data URL like fetch() does, in JSON with and without escapes', async () => {
  await fc.assert(
    fc.asyncProperty(dataUrl, async (url) => {
      const expected = await fetched(url);
      expect(await decoded(JsonText.of(url))).toEqual(expected);
      expect(await decoded(await fromJson(JSON.stringify(url)))).toEqual(expected);
      expect(await decoded(await fromJson(allEscaped(url)))).toEqual(expected);
    }),
    runs(INPUTS),
  );
});

describe('a large data URL is decoded correctly, wherever the pieces end in which it is read', () => {
  const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, at) => (at * 7919) >> 3));
  const text = bytes.toString('base64');
  const encodings: Record<string, (shift: string) => string> = {
    plain: (shift) => `"data:image/gif;name=${shift};base64,${text}"`,
    'escaped slashes': (shift) => `"data:image/gif;name=${shift};base64,${text}"`.replaceAll('/', '\\/'),
    'escaped plus signs': (shift) => `"data:image/gif;name=${shift};base64,${text.replaceAll('+', '\\u002B')}"`,
    'MIME line breaks': (shift) => `"data:image/gif;name=${shift};base64,${text.replaceAll(/.{76}/g, '$&\\r\\n')}"`,
    'every character escaped': (shift) => allEscaped(`data:image/gif;name=${shift};base64,${text}`),
    'percent-encoded': (shift) => JSON.stringify(`data:image/gif;name=${shift};base64,${encodeURIComponent(text)}`),
    'percent-encoded, with tabs and line breaks': (shift) =>
      JSON.stringify(`data:image/gif;name=${shift};base64,${encodeURIComponent(text).replaceAll('%2', '%\n2\t')}`),
    'without base64': (shift) =>
      JSON.stringify(
        `data:image/gif;name=${shift},${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
      ),
    'a space after every character': (shift) =>
      JSON.stringify(`data:;name=${shift};base64,${text.replaceAll(/./g, '$& ')}`),
  };
  test.each(Object.keys(encodings))('%s', async (name) => {
    for (let length = 0; length < 13; length += 1) {
      const image = await decoded(await fromJson(encodings[name]?.('n'.repeat(length)) ?? ''));
      expect(image?.equals(bytes)).toBe(true);
    }
  });
});

test.each([
  ['https://example.com/cat.png', 'no address is fetched'],
  ['blob:https://example.com/1', 'no address is fetched'],
  ['data:image/png;base64', 'without a comma'],
  ['data:image/png;name=a#b;base64,AAAA', 'ends at a #'],
  [`data:image/png;name=${'n'.repeat(17_000)};base64,AAAA`, 'bytes before its comma'],
  ['data:image/png;base64,AA*A', 'is not valid base64'],
  ['data:image/png;base64,AAAAA', 'is not valid base64'],
  ['no base64!', 'is not valid base64'],
])('refuses %.40s with the reason: %s', async (url, reason) => {
  await expect(
    decodeImage({ text: JsonText.of(url), field: 'images[0]', mayBeBare: true }, LIMIT),
  ).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining(reason),
    members: { errors: [{ field: 'images[0]' }] },
  });
});

test('accepts base64 without a data URL only if the field allows it', async () => {
  const image = { text: JsonText.of(' QUJD\n'), field: 'images[0]' };
  expect(String(await decodeImage({ ...image, mayBeBare: true }, LIMIT))).toBe('ABC');
  await expect(decodeImage({ ...image, mayBeBare: false }, LIMIT)).rejects.toMatchObject({
    message: expect.stringContaining('must be a data URL'),
  });
});

test.each(['data:,', 'data:image/png;base64,', 'data:;base64, ', ' '])('%j is an empty image', async (url) => {
  await expect(decodeImage({ text: JsonText.of(url), field: 'f', mayBeBare: true }, LIMIT)).rejects.toMatchObject({
    code: 'empty_image',
  });
});

test.each([
  ['plain', (bytes: Buffer) => `data:;base64,${bytes.toString('base64')}`],
  ['broken into lines', (bytes: Buffer) => `data:;base64,${bytes.toString('base64').replaceAll(/.{76}/g, '$&\n')}`],
  ['without base64', (bytes: Buffer) => `data:,${'%41'.repeat(bytes.length)}`],
])('accepts an image of exactly the limit, and refuses one more byte: %s', async (_, urlOf) => {
  for (const size of [PIECE_BYTES, PIECE_BYTES + 1, PIECE_BYTES + 2]) {
    const read = async (bytes: number): Promise<Buffer> =>
      decodeImage({ text: JsonText.of(urlOf(Buffer.alloc(bytes, 'A'))), field: 'f', mayBeBare: false }, size);
    expect(await read(size)).toHaveLength(size);
    await expect(read(size + 1)).rejects.toMatchObject({ code: 'image_too_large', members: { limit: size } });
  }
});

/** Returns the bytes that `fetch()` reads from a data URL. Undefined if there are none, or if it fails. */
async function fetched(url: string): Promise<Buffer | undefined> {
  try {
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    return bytes.length > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

async function decoded(text: JsonText): Promise<Buffer | undefined> {
  try {
    return await decodeImage({ text, field: 'f', mayBeBare: false }, LIMIT);
  } catch {
    return undefined;
  }
}

/** Reads a JSON string like an image in a request: if it is long, it stays in the body and is not parsed. */
async function fromJson(literal: string): Promise<JsonText> {
  const json = await LargeJson.read(Buffer.from(`[${literal}]`));
  const [text] = json.value as [string];
  return json.take(text);
}

function allEscaped(text: string): string {
  return `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
}
