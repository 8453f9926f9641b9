import { randomUUID } from 'node:crypto';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';

/** The tenant, the identity and the application behind every emulated token. */
const tenant = '00000000-0000-4000-8000-000000000001';
const principal = '00000000-0000-4000-8000-000000000002';
const application = '00000000-0000-4000-8000-000000000003';

const issuer = `https://sts.windows.net/${tenant}/`;

/** A token as issued. */
export interface IssuedToken {
  token: string;
  clientId: string;
  expiresAt: number;
}

/** Issues tokens for a resource, and tells its own from all others. */
export interface TokenAuthority {
  issue(resource: string, clientId?: string): Promise<IssuedToken>;
  /** Whether that is a valid token of this authority for one of these audiences. */
  accepts(token: string, audiences: string[]): Promise<boolean>;
  /** From now on, no token issued so far is accepted. */
  revoke(): void;
  /** Undoes {@link revoke}. */
  allow(): void;
}

/** Starts an authority with a key of its own, made now and kept nowhere. */
export async function startAuthority(lifetimeSeconds: number): Promise<TokenAuthority> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  let issued = 0;
  let revoked = 0;

  return {
    async issue(resource, clientId = application) {
      const now = Math.floor(Date.now() / 1000);
      const expiresAt = now + lifetimeSeconds;
      const claims = { tid: tenant, oid: principal, sub: principal, appid: clientId, serial: ++issued };
      const token = await new SignJWT({ ...claims, idtyp: 'app', ver: '1.0', uti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(resource)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { token, clientId, expiresAt };
    },
    async accepts(token, audience) {
      try {
        const { payload } = await jwtVerify(token, publicKey, { issuer, audience, algorithms: ['RS256'] });
        return Number(payload['serial']) > revoked;
      } catch {
        return false;
      }
    },
    revoke() {
      revoked = issued;
    },
    allow() {
      revoked = 0;
    },
  };
}
