import {
  createDefaultHttpClient,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { isLoopback } from '../config/endpoint.ts';
import { isRecord, parseJson } from '../config/json-object.ts';
import { tokenFacts } from './token-facts.ts';

/** The time limit of one attempt. Without it, an identity endpoint that never answers would keep its connections. */
const ATTEMPT_TIMEOUT_MS = 60_000;

/**
 * The variables in which platforms give the address of their identity endpoint:
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
const ENDPOINT_VARIABLES = [
  'IDENTITY_ENDPOINT',
  'IMDS_ENDPOINT',
  'MSI_ENDPOINT',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
] as const;

/** The result of a request: an answer, or the error of its connection. */
export type SignInResult = EndpointAnswer | { readonly error: unknown };

/** An answer of an identity endpoint or of Entra. */
export interface EndpointAnswer {
  readonly status: number;
  /** The body; empty if it contains a token. */
  readonly text: string;
  /** The Retry-After header. */
  readonly retryAfter: string | undefined;
  /** Whether it contains a token whose time of expiry cannot be read. */
  readonly isWithoutExpiry: boolean;
}

/** The last result of a sign-in from each of the two. */
export interface LastResults {
  /** From the endpoint of a managed identity. */
  readonly endpoint?: SignInResult | undefined;
  /** From Entra. */
  readonly authority?: SignInResult | undefined;
}

/**
 * The HTTP client of the credentials. It remembers the last answers, because the library drops the answer of an
 * identity endpoint or puts it into a message. It never uses a proxy for an identity endpoint, because the proxy could
 * only reach its own endpoint at that address.
 */
class CredentialHttp implements HttpClient, LastResults {
  endpoint: SignInResult | undefined;
  authority: SignInResult | undefined;
  readonly #client = createDefaultHttpClient();

  /** Forgets the last answers. Call it before each sign-in. */
  forget(): void {
    this.endpoint = undefined;
    this.authority = undefined;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    request.timeout ||= ATTEMPT_TIMEOUT_MS;
    const url = new URL(request.url);
    const key = isIdentityEndpoint(url) ? 'endpoint' : 'authority';
    if (key === 'endpoint') delete request.agent;
    try {
      const response = await this.#client.sendRequest(request);
      const { status, headers } = response;
      const text = response.bodyAsText ?? '';
      const readable = key === 'endpoint' && status === 200 ? withEpochSeconds(text) : text;
      // If the expiry cannot be read, leave the token out, so that the library reports a failure.
      response.bodyAsText = readable ?? '{}';
      this[key] = {
        status,
        text: text.includes('access_token') ? '' : text,
        retryAfter: headers.get('retry-after'),
        isWithoutExpiry: readable === undefined,
      };
      return response;
    } catch (error) {
      this[key] = { error };
      throw error;
    }
  }
}

/** Shared by the whole process, because the library uses the first credential's client for all managed identities. */
export const credentialHttp = new CredentialHttp();

/** Azure Arc and virtual machines need no variable: their endpoints have fixed addresses and use plain HTTP. */
function isIdentityEndpoint({ protocol, host, hostname }: URL): boolean {
  const isNamed = ENDPOINT_VARIABLES.some((name) => URL.parse(process.env[name]?.trim() ?? '')?.host === host);
  return isNamed || (protocol === 'http:' && (isLoopback(hostname) || isLinkLocal(hostname)));
}

/** For IPv4 and IPv6: https://www.rfc-editor.org/rfc/rfc3927, https://www.rfc-editor.org/rfc/rfc4291#section-2.5.6 */
function isLinkLocal(hostname: string): boolean {
  return /^169\.254(?:\.\d{1,3}){2}$/.test(hostname) || /^\[fe[89ab][\da-f]:/.test(hostname);
}

/**
 * Rewrites the answer of an identity endpoint so that `expires_on` is in seconds since 1970. Some endpoints send a
 * date, which the library would take for the current time. The `exp` claim of the token counts first.
 * @returns undefined if the answer has a token whose time of expiry cannot be read
 */
function withEpochSeconds(text: string): string | undefined {
  const body = parseJson(text);
  if (!isRecord(body) || typeof body['access_token'] !== 'string') return text;
  const { expires_on: expiresOn } = body;
  if (typeof expiresOn !== 'string' || /^\d+$/.test(expiresOn)) return text;
  const { expires } = tokenFacts(body['access_token']) ?? {};
  const milliseconds = Date.parse(expires ?? expiresOn);
  if (Number.isNaN(milliseconds)) return undefined;
  return JSON.stringify({ ...body, expires_on: String(Math.floor(milliseconds / 1000)) });
}
