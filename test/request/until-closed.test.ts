import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { untilClosed } from '../../src/request/until-closed.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

const piece = fc.constantFrom('\r\n', '--XX', '--', '--XX--', 'x', '\r', '\n', '-', 'XX');

test('yields everything up to the closing boundary, in chunks of any length', async () => {
  const cut = fc
    .array(piece, { maxLength: 12 })
    .chain((pieces) => fc.tuple(fc.constant(pieces.join('')), fc.array(fc.nat(20), { maxLength: 8 })));
  const property = fc.asyncProperty(cut, async ([body, lengths]) => {
    const expected = /^(?:--XX--|[^]*?\r\n--XX--)/.exec(body)?.[0] ?? body;
    expect(await read(body, lengths)).toBe(expected);
  });
  await fc.assert(property, runs(INPUTS * 2));
});

test('ignores a closing boundary in the middle of a line', async () => {
  expect(await read('--XX\r\n\r\na --XX-- b\r\n--XX--\r\n', [])).toBe('--XX\r\n\r\na --XX-- b\r\n--XX--');
});

async function read(body: string, lengths: readonly number[]): Promise<string> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let rest = Buffer.from(body);
    for (const length of lengths) {
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
    yield rest;
  }
  return Buffer.concat(await Array.fromAsync(untilClosed(chunks(), 'XX'))).toString();
}
