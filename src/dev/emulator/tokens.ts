import { randomUUID } from 'node:crypto';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';

/** The id of the only tenant. */
export const TENANT = '00000000-0000-4000-8000-000000000001';
/** The default managed identity: its object id and its client id. */
const PRINCIPAL = '00000000-0000-4000-8000-000000000002';
const APPLICATION = '00000000-0000-4000-8000-000000000003';

const issuer = `https://sts.windows.net/${TENANT}/`;

/** Options of a token, if it is not one of the default managed identity. */
export interface TokenOptions {
  readonly clientId?: string | undefined;
  readonly objectId?: string;
  /** Whether the token is for a person instead of an application. */
  readonly user?: boolean;
  readonly lifetimeSeconds?: number;
}

/** An issued token. */
export interface IssuedToken {
  token: string;
  clientId: string;
  /** When the token expires, in seconds since 1970. */
  expiresAt: number;
}

/** Issues tokens for a resource, and verifies them. */
export interface TokenAuthority {
  issue(resource: string, options?: TokenOptions): Promise<IssuedToken>;
  /**
   * Returns the owner of a token, or undefined unless it is a valid token of this authority for one of the audiences.
   */
  verify(token: string, audiences: string[]): Promise<{ objectId: string } | undefined>;
  /** Revokes all tokens issued so far. */
  revoke(): void;
  /** Undoes {@link revoke}. */
  allow(): void;
  /** Replaces the signing key, and forgets the old one, as Entra does after a key has leaked. */
  rotateKey(): Promise<void>;
}

/**
 * Creates an authority with a new key, which is never stored.
 * @param lifetime - of a token, in seconds
 */
export async function startAuthority(lifetime: number): Promise<TokenAuthority> {
  let keys = await generateKeyPair('RS256');
  let issued = 0;
  let revoked = 0;

  return {
    async issue(
      resource,
      { clientId = APPLICATION, objectId = PRINCIPAL, user = false, lifetimeSeconds = lifetime } = {},
    ) {
      const now = Math.floor(Date.now() / 1000);
      const expiresAt = now + lifetimeSeconds;
      const claims = {
        tid: TENANT,
        oid: objectId,
        sub: objectId,
        appid: clientId,
        serial: ++issued,
        ...(user ? {} : { idtyp: 'app' }),
      };
      const token = await new SignJWT({ ...claims, ver: '1.0', uti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(resource)
        .setIssuedAt(Math.min(now, expiresAt))
        .setNotBefore(Math.min(now, expiresAt))
        .setExpirationTime(expiresAt)
        .sign(keys.privateKey);
      return { token, clientId, expiresAt };
    },
    async verify(token, audience) {
      try {
        const { payload } = await jwtVerify(token, keys.publicKey, { issuer, audience, algorithms: ['RS256'] });
        return Number(payload['serial']) > revoked ? { objectId: String(payload['oid']) } : undefined;
      } catch {
        return undefined;
      }
    },
    revoke() {
      revoked = issued;
    },
    allow() {
      revoked = 0;
    },
    async rotateKey() {
      keys = await generateKeyPair('RS256');
    },
  };
}
