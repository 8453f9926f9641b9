import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeMemory } from '../../src/http/spare-memory.ts';
import { guessKind, parseContentType } from '../../src/request/content-type.ts';
import { readMultipart } from '../../src/request/multipart.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';

const LIMITS = { maxImages: 10, maxImageBytes: 1_000_000, prepareImages: true };
const HEAD = '--A\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n';

test.each(['\r', '\r\n', '\r\n-', '\r\n--'])(
  'keeps bytes of an image that look like the beginning of a boundary, also at the end of a chunk: %j',
  async (start) => {
    const [before, after, second] = ['x!'.repeat(5_000), ' and goes on', 'y!'.repeat(5_000)];
    const chunks = [
      `${HEAD}${before}${start}`,
      `${after}\r\n${HEAD}${second}${start}`,
      `${after}\r\n${HEAD}${second}\r\n--A--\r\n`,
    ].map((chunk) => Buffer.from(chunk));
    const { images } = await readMultipart(
      asStream(chunks),
      parseContentType('multipart/form-data; boundary=A'),
      LIMITS,
    );
    expect(images.map(String)).toEqual([before + start + after, second + start + after, second]);
  },
);

test('reads a form as it was sent, in chunks of any length', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array)),
    fc
      .array(fc.constantFrom('\r', '\n', '-', '--A', '\r\n--', '\r\n--AB', 'x'), { minLength: 1, maxLength: 8 })
      .map((all) => Buffer.from(all.join(''))),
  );
  const clean = bytes.filter(
    (made) => guessKind(made) === undefined && !`\r\n${made.toString('latin1')}\r\n`.includes('\r\n--A'),
  );
  const given = fc.record({
    images: fc.array(clean, { maxLength: 4 }),
    instructions: fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n]/.test(text)),
    lengths: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ images, instructions, lengths }) => {
      const parts = images.map((image) => part('name="image"; filename="x"', image));
      const body = form(part('name="instructions"', instructions), ...parts);
      const made = await readMultipart(
        asStream(cut(body, lengths)),
        parseContentType('multipart/form-data; boundary=A'),
        LIMITS,
      );
      expect(made).toEqual({ fields: { instructions }, images });
    }),
    runs(INPUTS / 5),
  );
});

describe('a field', () => {
  test.each([
    'name="schema"',
    'name=schema',
    'name="schema"; filename="schema.json"',
    'name="schema"; filename="blob"\r\nContent-Type: application/json',
    'NAME="schema"; FileName=schema.json',
    'name="schema"; filename*=utf-8\'\'a%20b.json',
  ])('is recognized by its name, with any filename and Content-Type: %s', async (head) => {
    expect(await read(part(head, '{"type":"object"}'))).toEqual({
      fields: { schema: '{"type":"object"}' },
      images: [],
    });
  });

  test.each([
    ['UTF-8', '', 'Perché €?', 'utf8'],
    ['UTF-8 with a byte order mark', '', '\uFEFFPerché?', 'utf8'],
    ['windows-1252', 'text/plain; charset=windows-1252', 'Perch\u00e9 \u0080?', 'latin1'],
    ['ISO 8859-1, in quotes', 'text/plain; Charset="ISO-8859-1"', 'Perch\u00e9?', 'latin1'],
    ['UTF-16', 'text/plain; charset=utf-16le', 'Perché 😀?', 'utf16le'],
  ] as const)('is decoded with its charset: %s', async (_, type, text, encoding) => {
    const head = `name="instructions"${type && `\r\nContent-Type: ${type}`}`;
    const { fields } = await read(part(head, Buffer.from(text, encoding)));
    expect(fields).toEqual({ instructions: text.replace('\uFEFF', '').replace('\u0080', '€') });
  });

  test('has the charset of the part _charset_, also if that comes later, unless it names its own', async () => {
    const { fields } = await read(
      part('name="instructions"', Buffer.from('Perch\u00e9?', 'latin1')),
      part('name="detail"\r\nContent-Type: text/plain; charset=utf-8', 'é'),
      part('name="_charset_"', 'iso-8859-1'),
    );
    expect(fields).toEqual({ instructions: 'Perché?', detail: 'é' });
  });

  test.each([
    ['text that is not UTF-8', part('name="instructions"', Buffer.from('Perch\u00e9', 'latin1')), 'is not UTF-8'],
    ['half a surrogate pair in UTF-8', part('name="instructions"', Buffer.from([0xed, 0xa0, 0xbd])), 'is not UTF-8'],
    [
      'half a surrogate pair in UTF-16',
      part('name="instructions"\r\nContent-Type: text/plain; charset=utf-16le', Buffer.from([0x3d, 0xd8])),
      'utf-16le',
    ],
    [
      'base64 as its charset',
      part('name="instructions"\r\nContent-Type: text/plain;charset=base64', 'V2hhdA=='),
      '"base64"',
    ],
    ['an unsupported charset', part('name="instructions"\r\nContent-Type: text/plain;charset=utf-7', 'x'), '"utf-7"'],
    [
      'quoted-printable',
      part('name="instructions"\r\nContent-Transfer-Encoding: Quoted-Printable', 'Gr=C3=B6'),
      'quoted-printable',
    ],
    [
      'invalid base64',
      part('name="instructions"\r\nContent-Transfer-Encoding: base64', 'What is it?'),
      'not valid base64',
    ],
    ['too many bytes', part('name="instructions"', 'x'.repeat(512 * 1024 + 1)), 'more than 524288 bytes'],
  ])('is refused, and the error names it: %s', async (_, body, reason) => {
    await expect(read(body)).rejects.toMatchObject({
      code: 'invalid_request',
      members: { errors: [{ field: 'instructions', message: expect.stringContaining(reason) }] },
    });
  });
});

describe('Content-Transfer-Encoding', () => {
  const image = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919) >> 3));
  test.each([
    ['binary', image],
    ['8bit', image],
    ['BASE64', image.toString('base64')],
    ['base64', image.toString('base64').replaceAll(/.{76}/g, '$&\r\n')],
  ])('%s is read', async (encoding, sent) => {
    const head = `name="image"; filename="x"\r\nContent-Transfer-Encoding: ${encoding}`;
    const { images } = await read(part(head, sent));
    expect(images.map((each) => each.equals(image))).toEqual([true]);
  });

  test('base64 is read in a text field, too', async () => {
    const head =
      'name="instructions"\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64';
    const { fields } = await read(part(head, Buffer.from('Größe?', 'latin1').toString('base64')));
    expect(fields).toEqual({ instructions: 'Größe?' });
  });

  test('the memory of the base64 text is released after decoding', async () => {
    const text = Buffer.alloc(900_000, 0xe9).toString('base64');
    await read(part('name="image"; filename="x"\r\nContent-Transfer-Encoding: base64', text));
    expect(takeMemory(text.length).toString('latin1')).toBe(text);
  });

  test('base64 of an image that is too large is refused with image_too_large', async () => {
    const head = 'name="image"; filename="x"\r\nContent-Transfer-Encoding: base64';
    await expect(read(part(head, Buffer.alloc(LIMITS.maxImageBytes + 1).toString('base64')))).rejects.toMatchObject({
      code: 'image_too_large',
    });
    await expect(read(part(head, Buffer.alloc(2 * LIMITS.maxImageBytes).toString('base64')))).rejects.toMatchObject({
      code: 'image_too_large',
    });
  });
});

describe('an unused file input', () => {
  test.each([
    ['an empty filename', '; filename=""'],
    ['no filename', ''],
  ])('is ignored under any field name if it has %s', async (_, fileName) => {
    const unused = `${fileName}\r\nContent-Type: application/octet-stream`;
    const given = await read(
      part('name="image"; filename="a.png"', 'x'),
      ...Array.from({ length: 12 }, () => part(`name="image"${unused}`, '')),
      part(`name="another"${unused}`, ''),
      part(`name="schema"${unused}`, ''),
    );
    expect(given).toEqual({ fields: {}, images: [Buffer.from('x')] });
  });

  test('differs from an empty file that was chosen, which counts as an image', async () => {
    expect((await read(part('name="image"; filename="a.png"', ''))).images).toEqual([Buffer.alloc(0)]);
  });
});

describe('text instead of an image', () => {
  test.each([
    ['base64 text', 'send JSON with "images"', Buffer.alloc(60).toString('base64')],
    ['a data URL', 'send JSON with "images"', `data:image/png;base64,${Buffer.alloc(60).toString('base64')}`],
    ['JSON', 'the bytes of one image', '{"instructions": "What?"}'],
    ['the name of a file', '-F image=@FILE', 'test/images/sailboat.jpg'],
  ])('is refused as %s, with advice: %s', async (kind, advice, sent) => {
    const refused = read(part('name="image"', sent));
    await expect(refused).rejects.toMatchObject({ code: 'unsupported_image_type' });
    await expect(refused).rejects.toThrow(`Image 1 is ${kind}.`);
    await expect(refused).rejects.toThrow(advice);
  });
});

test.each([
  ['a part without a name', form(part('filename="x"', 'x')), 'without a name'],
  ['a part without headers', Buffer.from('--A\r\n\r\nx\r\n--A--'), 'without a name'],
  [
    'a part with another Content-Disposition',
    Buffer.from('--A\r\nContent-Disposition: attachment; name="image"\r\n\r\nx\r\n--A--'),
    'without a name',
  ],
  [
    'a form without its closing boundary',
    Buffer.from('--A\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n--A'),
    'closing boundary',
  ],
  [
    'a form that is cut off within a part',
    Buffer.from('--A\r\nContent-Disposition: form-data; name="image"\r\n\r\nxyz'),
    'closing boundary',
  ],
  ['JSON', Buffer.from('{"instructions":"What?"}'), 'is JSON, but its Content-Type is multipart/form-data'],
  ['an image', Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'), 'is an image, but'],
  ['an empty body', Buffer.alloc(0), 'closing boundary'],
])('refuses the body: %s', async (_, body, reason) => {
  const reading = readMultipart(asStream([body]), parseContentType('multipart/form-data; boundary=A'), LIMITS);
  await expect(reading).rejects.toMatchObject({
    code: 'invalid_request',
    members: { errors: [{ field: 'body', message: expect.stringContaining(reason) }] },
  });
});

test.each([
  ['a file under an unknown name', [part('name="photo"; filename="a.png"', 'x')], 'photo'],
  [
    'a field given twice, as a file and as text',
    [part('name="detail"', 'low'), part('name="detail"; filename="x"', 'low')],
    'detail',
  ],
])('refuses %s', async (_, parts, field) => {
  await expect(read(...parts)).rejects.toMatchObject({ members: { errors: [{ field }] } });
});

test.each([
  ['image', 'too_many_images'],
  ['other', 'invalid_request'],
])('refuses a thousand parts: %s', async (name, code) => {
  const parts = Array.from({ length: 1_000 }, (_, at) => part(`name="${name === 'image' ? name : `f${at}`}"`, 'x!'));
  await expect(read(...parts)).rejects.toMatchObject({ code });
});

test('passes on an error of the connection, and does not report it as an invalid form', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(HEAD);
    throw new Error('the connection was closed');
  }
  await expect(readMultipart(broken(), parseContentType('multipart/form-data; boundary=A'), LIMITS)).rejects.toThrow(
    'the connection was closed',
  );
});

function part(head: string, body: string | Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`--A\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
}

function form(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.from('--A--\r\n')]);
}

async function read(...parts: Buffer[]): ReturnType<typeof readMultipart> {
  return readMultipart(
    asStream(cut(form(...parts), [7, 65_536])),
    parseContentType('multipart/form-data; boundary=A'),
    LIMITS,
  );
}

function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0;
  return [...lengths, Infinity].map((length) => body.subarray(at, (at += length)));
}

/** Yields each chunk in its own memory, as a socket does. */
async function* asStream(chunks: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    const bytes = Buffer.allocUnsafeSlow(chunk.length);
    chunk.copy(bytes);
    yield bytes;
  }
}
