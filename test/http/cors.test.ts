import { assert, constantFrom, property, webUrl } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCors } from '../../src/http/cors.ts';

const PAGE = 'https://page.example';
const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-functions-key' };

describe.each([undefined, '', ' , '])('CORS_ALLOWED_ORIGINS=%s', (setting) => {
  test('allows no origin, and answers no preflight', () => {
    const cors = createCors(setting);
    expect(cors({ method: 'POST', headers: { origin: PAGE } })).toEqual({ headers: {}, isPreflight: false });
    expect(cors({ method: 'OPTIONS', headers: { origin: PAGE, ...PREFLIGHT } })).toEqual({
      headers: {},
      isPreflight: false,
    });
  });
});

describe('a list of origins', () => {
  const cors = createCors(` ${PAGE} ,http://localhost:5173`);

  test.each([PAGE, 'http://localhost:5173'])(
    '%s may read the answer, and a cache keeps it for that origin',
    (origin) => {
      expect(cors({ method: 'POST', headers: { origin } })).toEqual({
        headers: { vary: 'origin', 'access-control-allow-origin': origin },
        isPreflight: false,
      });
    },
  );

  test.each(['https://other.example', 'http://page.example', `${PAGE}:8443`, `${PAGE}.evil.example`, 'null', ''])(
    'the origin "%s" may not, neither with nor without a preflight',
    (origin) => {
      expect(cors({ method: 'POST', headers: { origin } }).headers).toEqual({ vary: 'origin' });
      expect(cors({ method: 'OPTIONS', headers: { origin, ...PREFLIGHT } })).toEqual({
        headers: { vary: 'origin' },
        isPreflight: true,
      });
    },
  );

  test('no other origin may, whatever it looks like', () => {
    assert(
      property(webUrl({ withFragments: true }), constantFrom('GET', 'OPTIONS'), (origin, method) => {
        expect(cors({ method, headers: { origin, ...PREFLIGHT } }).headers).toEqual({ vary: 'origin' });
      }),
    );
  });

  test('a preflight gets the method and the headers that it asks for, and never cookies', () => {
    expect(cors({ method: 'OPTIONS', headers: { origin: PAGE, ...PREFLIGHT } })).toEqual({
      headers: {
        vary: 'origin',
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'x-functions-key',
        'access-control-max-age': '7200',
      },
      isPreflight: true,
    });
  });

  test('OPTIONS is no preflight without an origin, or without the method that it asks for', () => {
    expect(cors({ method: 'OPTIONS', headers: PREFLIGHT }).isPreflight).toBe(false);
    expect(cors({ method: 'OPTIONS', headers: { origin: PAGE } }).isPreflight).toBe(false);
  });
});

test('* allows every origin, also that of a file', () => {
  const cors = createCors('*');
  for (const origin of [PAGE, 'null'])
    expect(cors({ method: 'GET', headers: { origin } }).headers).toEqual({ 'access-control-allow-origin': '*' });
  expect(cors({ method: 'GET', headers: {} }).headers).toEqual({});
});

test.each([
  'page.example',
  `${PAGE}/`,
  `${PAGE}/path`,
  'https://PAGE.example',
  'https://*.example',
  'null',
  'file:///x',
])('CORS_ALLOWED_ORIGINS=%s is refused by name', (wrong) => {
  expect(() => createCors(`${PAGE},${wrong}`)).toThrow(`Not an origin: ${wrong}.`);
  expect(() => createCors(`${PAGE},${wrong}`)).toThrow('CORS_ALLOWED_ORIGINS must be');
});
