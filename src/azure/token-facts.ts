import * as v from 'valibot';
import { jsonObject, parseJson } from '../config/json-object.ts';

/** The latest time of a `Date`: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_SECOND = 8.64e12;

/** A time in tokens and in Azure's model list: seconds since 1970, within the range of `Date`. */
export const EpochSeconds = v.pipe(v.number(), v.minValue(0), v.maxValue(LAST_SECOND));

const Claims = jsonObject({
  tid: v.optional(v.string()),
  oid: v.optional(v.string()),
  aud: v.optional(v.string()),
  exp: v.optional(EpochSeconds),
});

/** The claims of a token that problems and `npm run doctor` may show. Nothing else of a token ever leaves the app. */
export interface TokenFacts {
  readonly tenant: string | null;
  readonly objectId: string | null;
  readonly audience: string | null;
  /** When the token expires, in ISO 8601. */
  readonly expires: string | null;
}

/** Reads the claims of a token. Returns undefined if it is not a JWT. The model's service verifies it, not this app. */
export function tokenFacts(token: string): TokenFacts | undefined {
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  if (!v.is(Claims, claims)) return undefined;
  const { tid, oid, aud, exp } = claims;
  return {
    tenant: tid ?? null,
    objectId: oid ?? null,
    audience: aud ?? null,
    expires: exp === undefined ? null : new Date(exp * 1000).toISOString(),
  };
}
