import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { Guard } from '../app.ts';
import { DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { AuthorityUnreachable, PublishedKeys } from './published-keys.ts';
import type { TokenSettings } from './settings.ts';

/** The only algorithm with which Entra signs access tokens. */
const ALGORITHMS = ['RS256'];
/** A bearer token in an Authorization header: RFC 6750, section 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;
/** Retry-After if the authority is unreachable, in seconds. */
const RETRY_AFTER_SECONDS = '5';

/** Admits everyone, for an app behind something that checks callers. */
export const anonymous: Guard = { authLevel: 'anonymous', admit: async () => {} };

/** Creates a guard that admits callers with an access token of one Entra tenant, issued for one application. */
export function tokenGuard(settings: TokenSettings): Guard {
  const { authority, tenantId, clientId, allowedClients } = settings;
  const keys = new PublishedKeys(`${authority}/${tenantId}`);
  const audience = [clientId, `api://${clientId}`];
  const advice = `Send "Authorization: Bearer" with an Entra access token for api://${clientId}/.default.`;

  const verify = async (token: string): Promise<JWTPayload> => {
    const issuer = [await keys.issuer(), `${stsOf(authority)}/${tenantId}/`];
    const required = { issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp'] };
    return (await jwtVerify(token, keys.find, required)).payload;
  };
  return {
    authLevel: 'token',
    async admit({ headers }, deadline) {
      const header = headers.get('authorization');
      if (header === null) throw unauthenticated(`The request has no token. ${advice}`, 'Bearer');
      const [, token] = BEARER.exec(header) ?? [];
      if (token === undefined) throw invalidToken('it is not a bearer token', advice);
      const payload = await deadline.race(verify(token)).catch((error: unknown) => {
        throw refusal(error, advice);
      });
      const caller = callerOf(payload);
      // An ID token has no client claim. It says who a person is, and does not give access.
      if (caller === undefined) throw invalidToken('it is not an access token', advice);
      if (allowedClients.size === 0 || allowedClients.has(caller)) return;
      throw new Problem(
        'caller_not_allowed',
        `The application ${caller} may not call this service. Its operator can add it to AUTH_ALLOWED_CLIENTS.`,
      );
    },
  };
}

/**
 * Returns the client that a token was issued to: `azp` in version 2, `appid` in version 1.
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
function callerOf({ azp, appid }: JWTPayload): string | undefined {
  const caller = azp ?? appid;
  return typeof caller === 'string' ? caller.toLowerCase() : undefined;
}

/** Returns the issuer of version 1 tokens. https://learn.microsoft.com/azure/china/resources-developer-guide */
function stsOf(authority: string): string {
  return authority.endsWith('.cn') ? 'https://sts.chinacloudapi.cn' : 'https://sts.windows.net';
}

/** Turns an error of the check into a problem with our own text, because the library's message may repeat the token. */
function refusal(error: unknown, advice: string): unknown {
  if (error instanceof AuthorityUnreachable) return identityUnavailable(error.said, error);
  if (error instanceof DeadlinePassed) return identityUnavailable('the authority did not answer in time', error);
  if (error instanceof errors.JWTExpired) return invalidToken('it has expired', advice);
  if (error instanceof errors.JWTClaimValidationFailed) return invalidToken(claimFault(error.claim), advice);
  if (error instanceof errors.JWKSNoMatchingKey) return invalidToken('the tenant has no such key', advice);
  if (error instanceof errors.JOSEAlgNotAllowed) return invalidToken(`it is not signed with ${ALGORITHMS[0]}`, advice);
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalidToken('its signature is wrong', advice);
  if (error instanceof errors.JOSEError) return invalidToken('it cannot be read', advice);
  return error;
}

function claimFault(claim: string): string {
  switch (claim) {
    case 'iss':
      return 'it is from another tenant';
    case 'aud':
      return 'it is for another service';
    case 'nbf':
      return 'it is not valid yet';
    default:
      return `its claim "${claim}" is missing or wrong`;
  }
}

function invalidToken(why: string, advice: string): Problem {
  // The format of the challenge is in RFC 6750, section 3.1.
  return unauthenticated(
    `The token is refused: ${why}. ${advice}`,
    `Bearer error="invalid_token", error_description="${why.replaceAll('"', "'")}"`,
  );
}

function unauthenticated(detail: string, challenge: string): Problem {
  return new Problem('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
}

function identityUnavailable(said: string, cause: Error): Problem {
  const attempts = [{ credential: "the caller's token", said }];
  return new Problem(
    'identity_unavailable',
    `The service could not check your token: ${said}. Try again in a moment.`,
    {
      members: { credentials: attempts.map(({ credential }) => credential), attempts },
      headers: { 'retry-after': RETRY_AFTER_SECONDS },
      cause,
    },
  );
}
