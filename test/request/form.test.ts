import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readQuery } from '../../src/request/form.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

const read = (query: string): Record<string, string> =>
  readQuery({ url: new URL(`http://127.0.0.1/api/processImage?${query}`) });

test('takes only the known fields from a query, and ignores all others', () => {
  expect(read('code=a-function-key&api-version=1&_=2&instructions=What%3F')).toEqual({ instructions: 'What?' });
  expect(read('schema=&Max_Tokens=&instructions=What')).toEqual({ instructions: 'What' });
  expect(read('code=%E9%FF&instructions=What')).toEqual({ instructions: 'What' });
});

test.each([
  ['schema=%7B%7D', 'schema', 'part of a form'],
  ['image=x', 'image', 'part of a form'],
  ['instructions=What&Images=x', 'Images', 'part of a form'],
  ['max_tokens=7', 'max_tokens', 'is written maxTokens'],
  ['maxtokens=7', 'maxtokens', 'is written maxTokens'],
  ['Instructions=What', 'Instructions', 'is written instructions'],
  ['Blob=https://a', 'Blob', 'is written blob'],
])('refuses the query %s, instead of ignoring %s', (query, field, message) => {
  expect(() => read(query)).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      members: { errors: [{ field, message: expect.stringContaining(message) as string }] },
    }),
  );
});

test.each(['100%', '%', '%zz', 'a+b', '%F0%9F%98%80', '%EF%BF%BD', 'é'])(
  'decodes %s like URLSearchParams',
  (instructions) => {
    const query = `instructions=${instructions}`;
    expect(read(query)).toEqual(Object.fromEntries(new URLSearchParams(query)));
  },
);

test('decodes percent-encoded UTF-8, and refuses any other bytes with the name of their field', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('instructions', 'detail', 'maxTokens'),
      fc.uint8Array({ maxLength: 12 }),
      (name, bytes) => {
        const query = `a=b&${name}=x${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}y`;
        const text = Buffer.from(bytes).toString();
        if (Buffer.from(text).equals(bytes)) expect(read(query)).toEqual({ [name]: `x${text}y` });
        else
          expect(() => read(query)).toThrow(
            expect.objectContaining({
              code: 'invalid_request',
              members: { errors: [expect.objectContaining({ field: name })] },
            }),
          );
      },
    ),
    runs(INPUTS),
  );
});
