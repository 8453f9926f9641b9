import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { still } from '../images/still.ts';
import { leaksIn, type Secret } from './leaks.ts';

const LOG =
  '[2026-11-21T06:14:00.000Z] info  Functions.processImage: {"requestId":"0b0e8a2c-5b0e-4f6e-9d5e-6f1f2d3c4b5a","status":200}\n';
const image = await still('image/jpeg', 64, 48);
const words = 'How many boats are there – and "why" so many of them?';
const secrets: Secret[] = [
  { kind: 'image', value: image },
  { kind: 'words', value: Buffer.from(words) },
  { kind: 'key', value: Buffer.from('a-forgotten-key') },
];

test('finds nothing in an ordinary log', () => {
  expect(leaksIn(LOG, secrets)).toEqual([]);
});

describe('finds in a log', () => {
  const token = ['eyJ', 'hbGciOiJSUzI1NiJ9.x.y'].join('');
  test.each([
    ['an image in base64', image.toString('base64')],
    ['a piece of an image in base64', image.toString('base64').slice(301, 400)],
    ['a piece of an image in base64url', image.toString('base64url').slice(301, 400)],
    ['an image in hex', image.toString('hex')],
    ['an image decoded as Latin-1', image.toString('latin1')],
    ['an image decoded as UTF-8', image.toString('utf8')],
    ['an image as a Buffer that Node prints', inspect(image)],
    ['an image as a Uint8Array that Node prints', inspect(new Uint8Array(image))],
    ['an image as a Buffer in JSON', JSON.stringify(image)],
    ['an image as a list of numbers in JSON', JSON.stringify([...image])],
    ['a token', `token ${token}`],
    ['an Authorization header', 'authorization: Bearer abcdefghijklmnopqrst'],
    ['instructions', words],
    ['instructions in JSON', JSON.stringify({ words })],
    ['instructions in a URL', new URLSearchParams({ words }).toString()],
    ['the end of an answer', words.slice(20)],
    ['a key', 'api-key: a-forgotten-key'],
  ])('%s', (_what, leak) => {
    expect(leaksIn(LOG + leak + LOG, secrets)).not.toEqual([]);
  });
});
