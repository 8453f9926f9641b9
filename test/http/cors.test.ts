import { assert, constantFrom, property, webUrl } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCors } from '../../src/http/cors.ts';

const PAGE = 'https://page.example';
const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-functions-key' };

describe.each([undefined, '', ' , '])('CORS_ALLOWED_ORIGINS=%s', (setting) => {
  test('allows no origin, and treats no request as a preflight', () => {
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

  test.each([PAGE, 'http://localhost:5173'])('allows %s to read the answer, with Vary: Origin for caches', (origin) => {
    expect(cors({ method: 'POST', headers: { origin } })).toEqual({
      headers: { vary: 'origin', 'access-control-allow-origin': origin },
      isPreflight: false,
    });
  });

  test.each(['https://other.example', 'http://page.example', `${PAGE}:8443`, `${PAGE}.evil.example`, 'null', ''])(
    'does not allow the origin "%s", with or without a preflight',
    (origin) => {
      expect(cors({ method: 'POST', headers: { origin } }).headers).toEqual({ vary: 'origin' });
      expect(cors({ method: 'OPTIONS', headers: { origin, ...PREFLIGHT } })).toEqual({
        headers: { vary: 'origin' },
        isPreflight: true,
      });
    },
  );

  test('does not allow any other origin', () => {
    assert(
      property(webUrl({ withFragments: true }), constantFrom('GET', 'OPTIONS'), (origin, method) => {
        expect(cors({ method, headers: { origin, ...PREFLIGHT } }).headers).toEqual({ vary: 'origin' });
      }),
    );
  });

  test('allows the method and the headers that a preflight asks for, but no cookies', () => {
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

  test('does not treat OPTIONS as a preflight without Origin or Access-Control-Request-Method', () => {
    expect(cors({ method: 'OPTIONS', headers: PREFLIGHT }).isPreflight).toBe(false);
    expect(cors({ method: 'OPTIONS', headers: { origin: PAGE } }).isPreflight).toBe(false);
  });
});

test('* allows every origin, including "null", the origin of a file', () => {
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
])('rejects %s in CORS_ALLOWED_ORIGINS, and names it', (wrong) => {
  expect(() => createCors(`${PAGE},${wrong}`)).toThrow(`Not an origin: ${wrong}.`);
  expect(() => createCors(`${PAGE},${wrong}`)).toThrow('CORS_ALLOWED_ORIGINS must be');
});
