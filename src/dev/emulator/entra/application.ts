import { randomBytes } from 'node:crypto';
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose';
import { type Certificate, makeClientCertificate } from './certificates.ts';

/** The audience that Entra requires in a federated token. */
export const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';

/** An application of the emulated tenant, with its credentials. Tests may change them, as an owner would. */
export interface Application {
  readonly clientId: string;
  readonly objectId: string;
  secret: string;
  certificate: Certificate;
  /** The external issuers that the application trusts. */
  readonly federations: { readonly cluster: Federation; readonly workflow: Federation };
}

/** A trusted issuer outside of Entra, and the subject that its tokens must have. */
export interface Federation {
  readonly issuer: string;
  subject: string;
  readonly key: CryptoKey;
  /** Issues a token, as a cluster or a workflow would get it. */
  token(changed?: { subject?: string; audience?: string; expiresAt?: number }): Promise<string>;
}

/** Registers an application with new secrets, which are never stored. */
export async function registerApplication(): Promise<Application> {
  return {
    clientId: '00000000-0000-4000-8000-000000000005',
    objectId: '00000000-0000-4000-8000-000000000006',
    secret: randomBytes(24).toString('base64url'),
    certificate: await makeClientCertificate(),
    federations: {
      cluster: await federate('https://cluster.example/emulated', 'system:serviceaccount:default:keyless-vision'),
      workflow: await federate(
        'https://token.actions.githubusercontent.com',
        'repo:example/keyless-vision:ref:refs/heads/main',
      ),
    },
  };
}

async function federate(issuer: string, subject: string): Promise<Federation> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return {
    issuer,
    subject,
    key: publicKey,
    async token(changed = {}) {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT()
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(changed.subject ?? subject)
        .setAudience(changed.audience ?? EXCHANGE_AUDIENCE)
        .setIssuedAt(now - 60)
        .setExpirationTime(changed.expiresAt ?? now + 3600)
        .sign(privateKey);
    },
  };
}
