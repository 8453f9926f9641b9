import * as v from 'valibot';
import { jsonObject } from '../config/json-object.ts';
import { EpochSeconds } from './epoch-seconds.ts';

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
  const claims = parse(token.split('.')[1] ?? '');
  if (!v.is(Claims, claims)) return undefined;
  const { tid, oid, aud, exp } = claims;
  return {
    tenant: tid ?? null,
    objectId: oid ?? null,
    audience: aud ?? null,
    expires: exp === undefined ? null : new Date(exp * 1000).toISOString(),
  };
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
}
