import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import wabt from 'wabt';
import { BASE64_MODULE, base64Length, CHUNK_BYTES, encodeBase64 } from '../../src/azure/base64-encoder.ts';

const output = Buffer.alloc(base64Length(CHUNK_BYTES));
const encoded = (chunk: Buffer): string => output.toString('latin1', 0, encodeBase64(chunk, output));

test('BASE64_MODULE is compiled from base64.wat', async () => {
  const file = new URL('../../src/azure/base64.wat', import.meta.url);
  const assembler = await wabt();
  const assembled = assembler.parseWat(file.pathname, await readFile(file, 'utf8'), { simd: true }).toBinary({}).buffer;
  expect(BASE64_MODULE).toBe(Buffer.from(assembled).toString('base64'));
});

test('encodes every pair of adjacent sextets, at every position in 12 bytes, as Node does', () => {
  const pairs = Array.from({ length: 64 * 64 }, (_, pair) => [pair >> 6, pair & 63]).flat();
  for (let shift = 0; shift < 16; shift++) {
    const sextets = [...pairs.slice(0, shift), ...pairs];
    const text = sextets
      .map((sextet) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[sextet])
      .join('');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    chunk.write(text, 'base64');
    expect(encoded(chunk) === chunk.toString('base64'), `shifted by ${shift}`).toBe(true);
    expect(encoded(chunk).startsWith(text.slice(0, -1))).toBe(true);
  }
});

test.each([0, 1, 2, 3, 11, 12, 13, CHUNK_BYTES - 1, CHUNK_BYTES])(
  'encodes %d bytes as Node does, although the output buffer holds other data',
  (length) => {
    encodeBase64(randomBytes(CHUNK_BYTES), output);
    const chunk = randomBytes(length);
    expect(encoded(chunk)).toBe(chunk.toString('base64'));
  },
);
