import { createHash, randomBytes } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { type Answer, jsonAnswer } from '../answer.ts';
import { TENANT, type TokenAuthority } from '../tokens.ts';
import { oauthError } from './oauth-error.ts';

/** The object id of the person who signs in. */
const PERSON = '00000000-0000-4000-8000-000000000004';
const CODE_SECONDS = 900;

type Decision = 'pending' | 'approved' | 'declined';

/** Signs in a person, with a device code or in a browser. */
export class PersonSignIn {
  readonly #authority: TokenAuthority;
  readonly #deviceCodes = new Map<string, { userCode: string; decision: Decision }>();
  readonly #codes = new Map<string, { challenge: string; nonce: string | undefined }>();

  constructor(authority: TokenAuthority) {
    this.#authority = authority;
  }

  /** Decides about a device code, as the person would on Entra's page. */
  decide(userCode: string, decision: Exclude<Decision, 'pending'>): void {
    const waiting = [...this.#deviceCodes.values()].find((each) => each.userCode === userCode);
    if (!waiting) throw new Error(`there is no user code ${userCode}`);
    waiting.decision = decision;
  }

  /** Answers `POST /devicecode` (RFC 8628). */
  startDeviceCode(): Answer {
    const deviceCode = randomBytes(16).toString('base64url');
    const userCode = randomBytes(5).toString('hex').slice(0, 9).toUpperCase();
    this.#deviceCodes.set(deviceCode, { userCode, decision: 'pending' });
    const page = 'https://microsoft.com/devicelogin';
    return jsonAnswer(200, {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      expires_in: CODE_SECONDS,
      interval: 1,
      message: `To sign in, use a web browser to open the page ${page} and enter the code ${userCode} to authenticate.`,
    });
  }

  /** Answers `GET /authorize` for a person who is signed in and agrees at once: the browser posts the code back. */
  authorize(query: URLSearchParams): Answer {
    const code = randomBytes(16).toString('base64url');
    this.#codes.set(code, { challenge: query.get('code_challenge') ?? '', nonce: query.get('nonce') ?? undefined });
    const fields = Object.entries({ code, state: query.get('state') ?? '' }).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
    );
    const page =
      '<form method="post" ' +
      `action="${query.get('redirect_uri')}">${fields.join('')}</form><script>document.forms[0].submit()</script>`;
    return { status: 200, headers: { 'content-type': 'text/html' }, body: [page] };
  }

  /** Exchanges a device code for tokens, once the person has approved it. */
  async redeemDeviceCode(form: URLSearchParams): Promise<Answer> {
    const decision = this.#deviceCodes.get(form.get('device_code') ?? '')?.decision;
    if (decision === 'pending')
      return oauthError(
        400,
        'authorization_pending',
        70016,
        'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
      );
    if (decision === 'declined') return oauthError(400, 'authorization_declined', 70018, 'The user declined.');
    return decision
      ? this.#tokens(form)
      : oauthError(
          400,
          'expired_token',
          70020,
          'The provided value for the input parameter device_code is not valid. This device code has expired.',
        );
  }

  /** Exchanges a code for tokens, with the proof that the client is the one that began (PKCE, RFC 7636). */
  async redeemCode(form: URLSearchParams): Promise<Answer> {
    const begun = this.#codes.get(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return begun?.challenge === challenge
      ? this.#tokens(form, begun.nonce)
      : oauthError(
          400,
          'invalid_grant',
          501481,
          'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
        );
  }

  async #tokens(form: URLSearchParams, nonce?: string): Promise<Answer> {
    const scope = form.get('scope') ?? '';
    const clientId = form.get('client_id') ?? '';
    const { token, expiresAt } = await this.#authority.issue(resourceOf(scope), {
      clientId,
      objectId: PERSON,
      user: true,
    });
    const idToken = new UnsecuredJWT({
      oid: PERSON,
      tid: TENANT,
      preferred_username: 'person@emulated.example',
      ver: '2.0',
      ...(nonce ? { nonce } : {}),
    })
      .setIssuer(`https://login.microsoftonline.com/${TENANT}/v2.0`)
      .setSubject(PERSON)
      .setAudience(clientId)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .encode();
    return jsonAnswer(200, {
      token_type: 'Bearer',
      scope,
      expires_in: expiresAt - Math.floor(Date.now() / 1000),
      access_token: token,
      id_token: idToken,
      client_info: Buffer.from(JSON.stringify({ uid: PERSON, utid: TENANT })).toString('base64url'),
    });
  }
}

/** Returns the resource of a scope: https://a.example for `https://a.example/.default openid profile`. */
export function resourceOf(scope: string): string {
  const [, resource = ''] = /(\S+)\/\.default/.exec(scope) ?? [];
  return resource;
}
