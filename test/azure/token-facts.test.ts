import { expect, test } from 'vitest';
import { tokenFacts } from '../../src/azure/token-facts.ts';

function tokenOf(claims: string): string {
  return `x.${Buffer.from(claims).toString('base64url')}.x`;
}

test('returns tenant, object, audience and expiry of a token, and null for those that it does not have', () => {
  const claims = { tid: 'a-tenant', oid: 'an-object', aud: 'an-audience', exp: 1_700_000_000, name: 'nobody asked' };
  expect(tokenFacts(tokenOf(JSON.stringify(claims)))).toEqual({
    tenant: 'a-tenant',
    objectId: 'an-object',
    audience: 'an-audience',
    expires: '2023-11-14T22:13:20.000Z',
  });
  expect(tokenFacts(tokenOf('{}'))).toEqual({ tenant: null, objectId: null, audience: null, expires: null });
});

test.each([
  'no token',
  tokenOf('[]'),
  tokenOf('null'),
  tokenOf('{"exp":1e999}'),
  tokenOf('{"exp":1e300}'),
  tokenOf('{"exp":-1}'),
  tokenOf('{"tid":1}'),
])('returns undefined for the token %s', (token) => {
  expect(tokenFacts(token)).toBeUndefined();
});
