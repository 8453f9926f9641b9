import * as v from 'valibot';
import { jsonObject, parseJson } from '../config/json-object.ts';

/** What `Date` can tell: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_SECOND = 8.64e12;

/** A moment as tokens and Azure's model list tell it: seconds since 1970, of which a `Date` can be made. */
export const EpochSeconds = v.pipe(v.number(), v.minValue(0), v.maxValue(LAST_SECOND));

const Claims = jsonObject({
  tid: v.optional(v.string()),
  oid: v.optional(v.string()),
  aud: v.optional(v.string()),
  exp: v.optional(EpochSeconds),
});

/** What may be told of a token; nothing else of it ever is. */
export interface TokenFacts {
  readonly tenant: string | null;
  readonly objectId: string | null;
  readonly audience: string | null;
  /** ISO 8601. */
  readonly expires: string | null;
}

/** Reads those claims without checking the token, which is the model's business; undefined where it is no JWT. */
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
