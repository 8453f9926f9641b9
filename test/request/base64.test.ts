import * as fc from 'fast-check';
import { test } from 'vitest';
import { decodeBase64, decodedLength } from '../../src/request/base64.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

/** RFC 4648, section 4 and 5: groups of four, the last of which may be short, with or without its padding. */
const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/;
/** Two letters fewer than a piece that is decoded at once, so that what follows lies across its end. */
const ALMOST_A_PIECE = 'AbC+'.repeat(512 * 256 - 1);

const alphabet = fc.constantFrom('A', 'Z', 'a', '9', '+', '/', '-', '_', '=', '=', '\n', ' ', '*', 'é');
const text = fc.oneof(
  fc.string({ unit: alphabet, maxLength: 12 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
);

test('is what Buffer makes of it where it is base64, and nothing else is', async () => {
  await fc.assert(fc.asyncProperty(text, isAsBufferHasIt), runs(INPUTS * 2));
});

test('so it is across the end of a piece', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (rest) => isAsBufferHasIt(ALMOST_A_PIECE + rest)),
    runs(INPUTS / 20),
  );
});

async function isAsBufferHasIt(base64: string): Promise<boolean> {
  const decoded = await decodeBase64(Buffer.from(base64));
  if (!BASE64.test(base64)) return decoded === undefined;
  const expected = Buffer.from(base64, 'base64');
  return decoded?.equals(expected) === true && decodedLength(Buffer.from(base64)) === expected.length;
}
