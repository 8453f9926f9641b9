import * as z from 'zod/mini';

const Claims = z.object({
  tid: z.optional(z.string()),
  oid: z.optional(z.string()),
  aud: z.optional(z.string()),
  exp: z.optional(z.number()),
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
  const claims = Claims.safeParse(parse(token.split('.')[1] ?? '')).data;
  if (!claims) return undefined;
  const { tid, oid, aud, exp } = claims;
  return { tenant: tid ?? null, objectId: oid ?? null, audience: aud ?? null, expires: exp === undefined ? null : new Date(exp * 1000).toISOString() };
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
}
