import { randomUUID } from 'node:crypto';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';

/** The one tenant of the emulated directory. */
export const TENANT = '00000000-0000-4000-8000-000000000001';
/** The managed identity, where no other is asked for. */
const PRINCIPAL = '00000000-0000-4000-8000-000000000002';
const APPLICATION = '00000000-0000-4000-8000-000000000003';

const issuer = `https://sts.windows.net/${TENANT}/`;

/** Whom a token is for, where it is not the managed identity, and what it should say about itself. */
export interface TokenOptions {
  readonly clientId?: string | undefined;
  readonly objectId?: string;
  /** A person rather than an application. */
  readonly user?: boolean;
  readonly lifetimeSeconds?: number;
}

/** A token as issued. */
export interface IssuedToken {
  token: string;
  clientId: string;
  /** Seconds since 1970. */
  expiresAt: number;
}

/** Issues tokens for a resource, and tells its own from all others. */
export interface TokenAuthority {
  issue(resource: string, options?: TokenOptions): Promise<IssuedToken>;
  /** Whose token that is, where it is a valid one of this authority for one of these audiences. */
  verify(token: string, audiences: string[]): Promise<{ objectId: string } | undefined>;
  /** From now on, no token issued so far is accepted. */
  revoke(): void;
  /** Undoes {@link revoke}. */
  allow(): void;
  /** Signs with a new key, and no longer knows the old one: what Entra does when a key has leaked. */
  rotateKey(): Promise<void>;
}

/** Starts an authority with a key of its own, made now and kept nowhere. */
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
