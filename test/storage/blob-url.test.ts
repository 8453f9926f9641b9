import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blobPlace, blobUrl, prefixPlace } from '../../src/storage/blob-url.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';
import { hostileUrls } from './hostile-urls.ts';

const CONTAINER = 'https://photos.blob.core.windows.net/images';
const CONTAINERS = [CONTAINER, 'http://127.0.0.1:10000/devstoreaccount1/images'];
const refused = expect.objectContaining({ code: 'blob_not_allowed', status: 403 });

const hostile = CONTAINERS.flatMap((container) => hostileUrls({ container, elsewhere: 'evil.example' }));

test('there are enough hostile URLs', () => {
  expect(new Set(hostile.map(([, url]) => url)).size).toBeGreaterThan(120);
});

test.each(hostile)('%s is refused: %j', (_, url) => {
  expect(() => blobPlace(url, CONTAINERS)).toThrow(refused);
});

test('a letter that only becomes the right one in lower case is refused', () => {
  const kiosk = ['https://kiosk.blob.core.windows.net/images'];
  expect(() => blobPlace('https://\u212Aiosk.blob.core.windows.net/images/a.png', kiosk)).toThrow(refused);
});

test('the refusal does not repeat the URL', () => {
  expect(() => blobPlace(`${CONTAINER}/marker?sig=marker`, CONTAINERS)).toThrow(
    expect.objectContaining({ detail: expect.not.stringContaining('marker') }),
  );
});

test.each([
  ['a.png', 'a.png'],
  ['a%20b.png', 'a b.png'],
  ['a b.png', 'a b.png'],
  ['folder/b/%E9%A3%9F.jpg', 'folder/b/食.jpg'],
  ['食.jpg', '食.jpg'],
  ['100%25.png', '100%.png'],
  ['what%3F%23.png', 'what?#.png'],
  ['..a/b...png', '..a/b...png'],
  ['folder/', 'folder/'],
])('%s is the blob %s', (encoded, name) => {
  expect(blobPlace(`${CONTAINER}/${encoded}`, CONTAINERS)).toEqual({ container: CONTAINER, name });
});

test('the case of scheme and host does not matter', () => {
  expect(blobPlace('HTTPS://Photos.Blob.core.windows.net/images/A.png', CONTAINERS).name).toBe('A.png');
});

test('a prefix may be the container, a folder or the beginning of a name', () => {
  expect(['', '/', '/a/', '/a/b'].map((rest) => prefixPlace(CONTAINER + rest, CONTAINERS).name)).toEqual([
    '',
    '',
    'a/',
    'a/b',
  ]);
  expect(() => prefixPlace(`${CONTAINER}/a/../b`, CONTAINERS)).toThrow(refused);
});

test('without IMAGE_CONTAINERS, the refusal says so', () => {
  expect(() => blobPlace(`${CONTAINER}/a.png`, [])).toThrow(/IMAGE_CONTAINERS is empty/);
});

test('any text either names a blob under its own URL, or is refused', () => {
  const piece = fc.constantFrom(
    CONTAINER,
    '/',
    '..',
    '.',
    '%',
    '%2e',
    '%2F',
    '25',
    '\\',
    '@',
    '?',
    '#',
    'a',
    '食',
    ':',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = CONTAINER + pieces.join('');
      try {
        const place = blobPlace(text, CONTAINERS);
        // A URL parser must agree about the host and the container, and must not have anything to mend in the URL.
        const url = blobUrl(place);
        expect(new URL(url).href).toBe(url);
        expect(decodeURIComponent(new URL(text).href)).toBe(decodeURIComponent(url));
        expect(blobPlace(url, CONTAINERS)).toEqual(place);
      } catch (error) {
        expect(error).toEqual(refused);
      }
    }),
    runs(INPUTS),
  );
});
