import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessKind, parseContentType, refuseBody } from '../../src/request/content-type.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

test.each([
  [null, ''],
  ['', ''],
  ['image/png', 'image/png'],
  ['APPLICATION/JSON', 'application/json'],
  ['application/json;charset=UTF-8', 'application/json'],
  ['application/json, application/json', 'application/json'],
  ['text/plain;;;=', 'text/plain'],
  ['/', '/'],
  ['nonsense', 'nonsense'],
  [`text/plain;${' '.repeat(64_000)}x`, 'text/plain'],
  [','.repeat(64_000), ','.repeat(100)],
])('reads the type of "%.60s" as "%.60s"', (header, type) => {
  expect(parseContentType(header).type).toBe(type);
});

test.each([
  ['multipart/form-data; boundary=----=_Part_1.2', '----=_Part_1.2'],
  ['multipart/form-data;BOUNDARY="a b,c"', 'a b,c'],
  ['multipart/form-data; charset=utf-8; boundary=x', 'x'],
  ['multipart/form-data; boundary=', undefined],
])('reads the boundary of "%s" as %s', (header, boundary) => {
  expect(parseContentType(header).parameters.get('boundary')).toBe(boundary);
});

const base64 = fc.uint8Array({ minLength: 18, maxLength: 3_000 }).map((bytes) => Buffer.from(bytes).toString('base64'));

describe('the guessed kind of a body', () => {
  test('is JSON for an object, with or without a byte order mark and indentation', () => {
    const object = fc
      .dictionary(fc.string(), fc.jsonValue())
      .chain((value) =>
        fc.constantFrom(
          JSON.stringify(value),
          `\uFEFF${JSON.stringify(value)}`,
          ` \r\n${JSON.stringify(value, undefined, 2)}`,
        ),
      );
    fc.assert(
      fc.property(object, (json) => guessKind(Buffer.from(json)) === 'JSON'),
      runs(INPUTS),
    );
  });

  test('is base64 text, in one line or in many', () => {
    const text = base64.chain((whole) => fc.constantFrom(whole, `${whole}\n`, whole.replaceAll(/.{76}/g, '$&\r\n')));
    fc.assert(
      fc.property(text, (made) => guessKind(Buffer.from(made)) === 'base64 text'),
      runs(INPUTS),
    );
  });

  test('is a data URL', () => {
    const url = base64.chain((whole) =>
      fc.constantFrom(`data:image/png;base64,${whole}`, `DATA:;base64,${whole}`, ` data:,${whole}`),
    );
    fc.assert(
      fc.property(url, (made) => guessKind(Buffer.from(made)) === 'a data URL'),
      runs(INPUTS),
    );
  });

  test('is a multipart form or a URL-encoded form', async () => {
    const fields = fc.dictionary(fc.constantFrom('instructions', 'image', 'detail'), fc.string({ unit: 'grapheme' }), {
      minKeys: 1,
    });
    await fc.assert(
      fc.asyncProperty(fields, async (given) => {
        const form = new FormData();
        for (const [name, value] of Object.entries(given)) form.set(name, value);
        expect(guessKind(new Uint8Array(await new Response(form).arrayBuffer()))).toBe('a multipart form');
        expect(guessKind(Buffer.from(new URLSearchParams(given).toString()))).toBe('a URL-encoded form');
      }),
      runs(INPUTS / 10),
    );
  });

  test.each([
    '',
    'Dear Sir or Madam, please find attached the photograph.',
    'What is it?',
    '<svg>',
    '%PDF-1.7',
    'Hello',
    '{ x',
    'a=b c',
  ])('is undefined for other text: %s', (text) => {
    expect(guessKind(Buffer.from(text))).toBeUndefined();
  });

  test('is no kind of text except JSON if there is a zero byte', () => {
    const bytes = fc.uint8Array({ minLength: 1 }).filter((made) => made.some((byte) => byte === 0));
    fc.assert(
      fc.property(bytes, (made) => [undefined, 'an image', 'JSON'].includes(guessKind(made))),
      runs(INPUTS),
    );
  });
});

test.each([
  ['{"instructions":"What?"}', 'text/plain', 'is JSON', 'Content-Type: application/json'],
  ['{"instructions":"What?"}', 'application/vnd.api+json', 'is JSON', 'Content-Type: application/json'],
  ['{"instructions":"What?"}', '', 'has no Content-Type', 'Content-Type: application/json'],
  ['instructions=What&image=x', 'application/x-www-form-urlencoded', 'is a URL-encoded form', 'multipart/form-data'],
  [
    '--X\r\ncontent-disposition: form-data',
    'multipart/mixed',
    'is a multipart form',
    'Content-Type: multipart/form-data',
  ],
  [
    'This is a multipart message.\r\n--X',
    'multipart/related',
    'is a multipart form',
    'Content-Type: multipart/form-data',
  ],
  [Buffer.alloc(60).toString('base64'), 'text/plain', 'is base64 text', 'Content-Type: application/json'],
  ['data:image/png;base64,AAAA', 'text/plain', 'is a data URL', 'Content-Type: application/json'],
  ['test/images/sailboat.jpg', 'application/x-www-form-urlencoded', 'is the name of a file', '@FILE'],
  ['C:\\Photos\\Mein Boot.HEIC\n', '', 'is the name of a file', '@FILE'],
])('refuses %.30s as "%s": the problem says that it %s, and what to send', (body, type, what, advice) => {
  const refuse = (): void => refuseBody(Buffer.from(body), parseContentType(type), { prepareImages: true });
  expect(refuse).toThrow(
    expect.objectContaining({ status: 415, code: 'unsupported_image_type', message: expect.stringContaining(what) }),
  );
  expect(refuse).toThrow(advice);
  if (type) expect(refuse).toThrow(type);
});
