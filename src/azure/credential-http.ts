import {
  createDefaultHttpClient,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { isLoopback } from '../config/endpoint.ts';
import { isRecord, parseJson } from '../config/json-object.ts';
import { tokenFacts } from './token-facts.ts';

/** For one attempt. Without it, an identity endpoint that says nothing keeps its connections for ever. */
const ATTEMPT_TIMEOUT_MS = 60_000;

/** Where platforms say that their identity endpoint is: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
const ENDPOINT_VARIABLES = [
  'IDENTITY_ENDPOINT',
  'IMDS_ENDPOINT',
  'MSI_ENDPOINT',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
] as const;

/** What came of a request: an answer, or the error of its connection. */
export type Exchange = EndpointAnswer | { readonly error: unknown };

/** An answer, of which nothing is kept if it holds a token. */
export interface EndpointAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  /** Whether it has a token without a readable time of expiry. */
  readonly isWithoutExpiry: boolean;
}

/** The last exchanges of a sign-in, by whom was asked. */
export interface Exchanges {
  /** A managed identity's endpoint. */
  readonly endpoint?: Exchange | undefined;
  /** Entra. */
  readonly authority?: Exchange | undefined;
}

/**
 * The HTTP client of the credentials. Their library throws away what an identity endpoint answered, or hides it in prose, so
 * this one remembers it. It never asks an identity endpoint through a proxy, which could only reach its own.
 */
class CredentialHttp implements HttpClient, Exchanges {
  endpoint: Exchange | undefined;
  authority: Exchange | undefined;
  readonly #client = createDefaultHttpClient();

  /** Starts anew: what is remembered afterwards is of one sign-in. */
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
      // Without a token, the library says that there is none.
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

/** One for the process: the library keeps the client of its first credential for the managed identities of all others. */
export const credentialHttp = new CredentialHttp();

/** Azure Arc and a virtual machine need no variable: theirs are at fixed addresses, over plain HTTP. */
function isIdentityEndpoint({ protocol, host, hostname }: URL): boolean {
  const isNamed = ENDPOINT_VARIABLES.some((name) => URL.parse(process.env[name]?.trim() ?? '')?.host === host);
  return isNamed || (protocol === 'http:' && (isLoopback(hostname) || isLinkLocal(hostname)));
}

/** https://www.rfc-editor.org/rfc/rfc3927 and https://www.rfc-editor.org/rfc/rfc4291#section-2.5.6 */
function isLinkLocal(hostname: string): boolean {
  return /^169\.254(?:\.\d{1,3}){2}$/.test(hostname) || /^\[fe[89ab][\da-f]:/.test(hostname);
}

/**
 * The answer of an identity endpoint with `expires_on` in seconds since 1970, which is all that the library reads: some
 * endpoints write a date, which it takes for the present. The token itself knows best when it expires.
 * @returns undefined if there is a token, but nobody can say until when it is good
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
