import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blobPlace, blobUrl, prefixPlace } from '../../src/storage/blob-url.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';
import { hostileUrls } from './hostile-urls.ts';

const CONTAINER = 'https://photos.blob.core.windows.net/images';
const CONTAINERS = [CONTAINER, 'http://127.0.0.1:10000/devstoreaccount1/images'];
const refused = expect.objectContaining({ code: 'blob_not_allowed', status: 403 });

const hostile = CONTAINERS.flatMap((container) => hostileUrls({ container, elsewhere: 'evil.example' }));

test('the list has more than 120 hostile URLs', () => {
  expect(new Set(hostile.map(([, url]) => url)).size).toBeGreaterThan(120);
});

test.each(hostile)('refuses %s: %j', (_, url) => {
  expect(() => blobPlace(url, CONTAINERS)).toThrow(refused);
});

test('refuses a Kelvin sign in the host, although its lower case is the letter k', () => {
  const kiosk = ['https://kiosk.blob.core.windows.net/images'];
  expect(() => blobPlace('https://\u212Aiosk.blob.core.windows.net/images/a.png', kiosk)).toThrow(refused);
});

test('does not repeat the URL in the problem', () => {
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
])('reads %s as the blob %s', (encoded, name) => {
  expect(blobPlace(`${CONTAINER}/${encoded}`, CONTAINERS)).toEqual({ container: CONTAINER, name });
});

test('ignores the case of scheme and host', () => {
  expect(blobPlace('HTTPS://Photos.Blob.core.windows.net/images/A.png', CONTAINERS).name).toBe('A.png');
});

test('accepts the container, a folder or the beginning of a name as a prefix', () => {
  expect(['', '/', '/a/', '/a/b'].map((rest) => prefixPlace(CONTAINER + rest, CONTAINERS).name)).toEqual([
    '',
    '',
    'a/',
    'a/b',
  ]);
  expect(() => prefixPlace(`${CONTAINER}/a/../b`, CONTAINERS)).toThrow(refused);
});

test('the problem says if IMAGE_CONTAINERS is empty', () => {
  expect(() => blobPlace(`${CONTAINER}/a.png`, [])).toThrow(/IMAGE_CONTAINERS is empty/);
});

test('accepts a text only if a URL parser reads it as the same blob', () => {
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
        // A URL parser must find the same host and container, and must not change the URL.
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
