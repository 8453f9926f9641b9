import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageTooLarge } from '../../src/image/faults.ts';
import { decodeText, toUtf8 } from '../../src/request/charset.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

const LIMIT = { bytes: 1_000_000, exceeded: () => imageTooLarge(1_000_000) };
const CHARSETS = [
  'utf-8',
  'UTF8',
  'iso-8859-1',
  'windows-1251',
  'utf-16le',
  'utf-16be',
  'shift_jis',
  'gb18030',
  'euc-kr',
  'us-ascii',
];

test('decodes bytes like TextDecoder, and refuses those that it refuses', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => new Uint8Array(Buffer.from(text))),
    fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => new Uint8Array(Buffer.from(text, 'utf16le'))),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...CHARSETS), bytes, async (charset, given) => {
      const expected = decoded(charset, given);
      const refused = expect.objectContaining({
        code: 'invalid_request',
        members: { errors: [expect.objectContaining({ field: 'f' })] },
      });
      if (expected === undefined) expect(() => decodeText(given, charset, 'f')).toThrow(refused);
      else expect(decodeText(given, charset, 'f')).toBe(expected);
      if (expected !== undefined && !charset.toLowerCase().startsWith('utf8') && charset !== 'utf-8')
        expect((await toUtf8(Buffer.from(given), charset, LIMIT)).toString()).toBe(expected);
    }),
    runs(INPUTS),
  );
});

test('converts a body of another charset to UTF-8, also if a piece ends within a character', async () => {
  const text = 'Perché 字 😀'.repeat(20_000);
  for (const shift of [0, 1, 2, 3]) {
    const made = 'x'.repeat(shift) + text;
    expect((await toUtf8(Buffer.from(made, 'utf16le'), 'utf-16', LIMIT)).toString()).toBe(made);
  }
});

test('returns a UTF-8 body itself, not a copy', async () => {
  const body = Buffer.from('Perché');
  expect(await toUtf8(body, 'UTF-8', LIMIT)).toBe(body);
});

test('refuses a body that is larger than the limit after its conversion', async () => {
  await expect(toUtf8(Buffer.alloc(600_000, 0xe9), 'iso-8859-1', LIMIT)).rejects.toMatchObject({
    code: 'image_too_large',
  });
});

test.each(['utf-7', 'base64', 'binary', 'none', ''])('refuses the charset "%s", and names it', async (charset) => {
  await expect(toUtf8(Buffer.from('x'), charset, LIMIT)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining(`"${charset}"`),
  });
});

function decoded(charset: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
