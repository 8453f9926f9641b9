import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Base64Decoder, decodedLength } from '../../src/request/base64.ts';
import { imageTooLarge } from '../../src/image/faults.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

/** RFC 4648, sections 4 and 5: groups of four. The last group may be shorter, with or without its padding. */
const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/;
const WHITE_SPACE = /[\t\n\f\r ]/g;

const alphabet = fc.constantFrom(
  'A',
  'Z',
  'a',
  '9',
  '+',
  '/',
  '-',
  '_',
  '=',
  '=',
  '\n',
  ' ',
  '\t',
  '\r',
  '*',
  'é',
  '\0',
);
const text = fc.oneof(
  fc.string({ unit: alphabet, maxLength: 12 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64').replaceAll(/.{7}/g, '$&\r\n')),
);

test('decodes base64 like Buffer, in pieces of any length, and refuses all other text', async () => {
  const cut = fc.tuple(text, fc.array(fc.nat(12), { maxLength: 6 }));
  await fc.assert(
    fc.asyncProperty(cut, async ([base64, lengths]) => {
      const letters = base64.replaceAll(WHITE_SPACE, '');
      const expected = BASE64.test(letters) ? Buffer.from(letters, 'base64') : undefined;
      expect(await decode(base64, lengths, 1_000)).toEqual(expected);
      if (expected) expect(decodedLength(letters.length, letters.slice(-2))).toBe(expected.length);
    }),
    runs(INPUTS * 2),
  );
});

test('refuses base64 if and only if it decodes to more bytes than the limit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(60),
      fc.array(fc.nat(12)),
      async (bytes, limit, lengths) => {
        const decoded = decode(Buffer.from(bytes).toString('base64'), lengths, limit);
        if (bytes.length > limit) await expect(decoded).rejects.toMatchObject({ code: 'image_too_large' });
        else expect(await decoded).toEqual(Buffer.from(bytes));
      },
    ),
    runs(INPUTS),
  );
});

test('returns bytes in memory of exactly their size, so that it can be released', async () => {
  for (const base64 of ['QUJD', 'QUJ\nDQUJD', 'QU==']) {
    const bytes = await decode(base64, [], 1_000);
    expect(bytes?.buffer.byteLength).toBe(bytes?.length);
  }
});

async function decode(base64: string, lengths: readonly number[], limit: number): Promise<Buffer | undefined> {
  const decoder = new Base64Decoder(base64.length, { bytes: limit, exceeded: () => imageTooLarge(limit) });
  let rest = base64;
  for (const length of [...lengths, Infinity]) {
    if (!decoder.write(rest.slice(0, length))) return undefined;
    rest = rest.slice(length);
  }
  return decoder.end();
}
