import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Answer } from '../answer.ts';
import { TENANT } from '../tokens.ts';
import { type Application, EXCHANGE_AUDIENCE } from './application.ts';
import { oauthError } from './oauth-error.ts';

/** Tolerance for clocks that differ, in seconds. Entra tolerates differences, and MSAL rounds its times up. */
const CLOCK_TOLERANCE_S = 300;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Returns an error if a request for a token does not prove that it comes from the application. */
export async function refuseClient(
  form: URLSearchParams,
  application: Application,
  tokenUrl: string,
): Promise<Answer | undefined> {
  const clientId = form.get('client_id');
  if (clientId !== application.clientId) {
    return oauthError(
      400,
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${TENANT}'.`,
    );
  }
  const assertion = form.get('client_assertion');
  if (assertion === null) return refuseSecret(form.get('client_secret'), application);
  if (form.get('client_assertion_type') !== ASSERTION_TYPE)
    return oauthError(400, 'invalid_request', 900144, "The request body must contain 'client_assertion_type'.");

  const claims = decodeJwt(assertion);
  return claims.iss === application.clientId
    ? refuseCertificate(assertion, application, tokenUrl)
    : refuseFederated(assertion, claims, application);
}

function refuseSecret(secret: string | null, application: Application): Answer | undefined {
  if (secret === application.secret) return undefined;
  const advice = 'Ensure the secret being sent in the request is the client secret value, not the client secret ID';
  return oauthError(
    401,
    'invalid_client',
    7000215,
    `Invalid client secret provided. ${advice}, for a secret added to app '${application.clientId}'.`,
  );
}

/** Checks a JWT that the application must have signed with the key of its certificate (RFC 7523). */
async function refuseCertificate(
  assertion: string,
  { clientId, certificate }: Application,
  tokenUrl: string,
): Promise<Answer | undefined> {
  const { raw } = new X509Certificate(certificate.cert);
  const thumbprint = createHash('sha256').update(raw).digest('base64url');
  try {
    const { protectedHeader } = await jwtVerify(assertion, createPublicKey(certificate.cert), {
      issuer: clientId,
      subject: clientId,
      audience: tokenUrl,
      algorithms: ['PS256', 'RS256'],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['jti', 'exp'],
    });
    if (protectedHeader['x5t#S256'] === thumbprint) return undefined;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
  }
  return oauthError(
    401,
    'invalid_client',
    700027,
    'The certificate used to sign the client assertion is not registered on application.',
  );
}

/**
 * Checks a token of an external issuer, which is exchanged for one of Entra:
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
async function refuseFederated(
  assertion: string,
  claims: JWTPayload,
  { federations }: Application,
): Promise<Answer | undefined> {
  const federation = Object.values(federations).find(({ issuer }) => issuer === claims.iss);
  if (!federation) return mismatch(700211, 'issuer', claims.iss);
  const { subject, key } = federation;
  if (claims.sub !== subject) return mismatch(700213, 'subject', claims.sub);
  if (claims.aud !== EXCHANGE_AUDIENCE) return mismatch(700212, 'audience', String(claims.aud));
  try {
    await jwtVerify(assertion, key, {
      algorithms: ['RS256'],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['exp'],
    });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      return oauthError(401, 'invalid_client', 700024, 'Client assertion is not within its valid time range.');
    if (!(error instanceof errors.JOSEError)) throw error;
    return oauthError(401, 'invalid_client', 700027, 'Client assertion failed signature validation.');
  }
}

function mismatch(code: number, what: string, presented: string | undefined): Answer {
  return oauthError(
    401,
    'invalid_client',
    code,
    `No matching federated identity record found for presented assertion ${what} '${presented}'. Please check ` +
      'your federated identity credential Subject, Audience and Issuer against the presented assertion.',
  );
}
