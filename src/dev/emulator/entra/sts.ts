import { type Answer, jsonAnswer } from '../answer.ts';
import type { Respond } from '../endpoint.ts';
import type { RecordedRequest } from '../recorded-request.ts';
import { TENANT, type TokenAuthority } from '../tokens.ts';
import type { Application } from './application.ts';
import { refuseClient } from './client-proof.ts';
import { oauthError } from './oauth-error.ts';
import { type PersonSignIn, resourceOf } from './person.ts';

/** Tenant names of clients that do not name their own tenant. */
const SHARED_TENANTS = new Set(['common', 'organizations']);

/** What Entra's token service needs. */
export interface Directory {
  readonly authority: TokenAuthority;
  readonly application: Application;
  readonly person: PersonSignIn;
}

/** Emulates Entra's token service, version 2: discovery, tokens, and sign-in with a device code or a browser. */
export function sts(directory: Directory): Respond {
  return async (request) => {
    const [, tenant = '', path = ''] = /^\/([^/]+)\/(.+)$/.exec(request.path) ?? [];
    if (tenant !== TENANT && !SHARED_TENANTS.has(tenant)) {
      return oauthError(
        400,
        'invalid_tenant',
        90002,
        `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into ` +
          'the correct cloud.',
      );
    }
    const base = `https://${request.headers.host}/${tenant}`;
    switch (`${request.method} ${path}`) {
      case 'GET v2.0/.well-known/openid-configuration':
        return jsonAnswer(200, configuration(base));
      case 'POST oauth2/v2.0/devicecode':
        return directory.person.startDeviceCode();
      case 'GET oauth2/v2.0/authorize':
        return directory.person.authorize(request.query);
      case 'POST oauth2/v2.0/token':
        return redeem(formOf(request), directory, `${base}/oauth2/v2.0/token`);
      default:
        return jsonAnswer(404, { error: 'not_found' });
    }
  };
}

function configuration(base: string): object {
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
  };
}

async function redeem(
  form: URLSearchParams,
  { authority, application, person }: Directory,
  tokenUrl: string,
): Promise<Answer> {
  switch (form.get('grant_type')) {
    case 'client_credentials':
      return (await refuseClient(form, application, tokenUrl)) ?? issue(form, authority, application);
    case 'authorization_code':
      return person.redeemCode(form);
    case 'device_code': // the name before RFC 8628, which MSAL still sends
      return person.redeemDeviceCode(form);
    default:
      return oauthError(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
  }
}

async function issue(
  form: URLSearchParams,
  authority: TokenAuthority,
  { clientId, objectId }: Application,
): Promise<Answer> {
  const { token, expiresAt } = await authority.issue(resourceOf(form.get('scope') ?? ''), { clientId, objectId });
  const seconds = expiresAt - Math.floor(Date.now() / 1000);
  return jsonAnswer(200, { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token });
}

function formOf({ body }: RecordedRequest): URLSearchParams {
  return new URLSearchParams(typeof body === 'string' ? body : '');
}
