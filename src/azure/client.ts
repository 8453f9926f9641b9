import { AzureOpenAI, OpenAI } from 'openai';
import type { Settings, Target } from '../config/settings.ts';
import { transport } from './transport.ts';

/**
 * The one place that knows how the SDK is told where the model is and who is asking.
 *
 * The SDK fills from the environment whatever it is not given, so everything is given: with OPENAI_BASE_URL set it
 * would refuse an endpoint, with AZURE_OPENAI_API_KEY a token, OPENAI_ORG_ID and OPENAI_PROJECT_ID would travel along,
 * and OPENAI_LOG=debug would print what it is asked.
 */
export function createClient(
  settings: Settings,
  { endpoint, deployment }: Target,
  token: () => Promise<string>,
): OpenAI {
  const { apiVersion, apiKey } = settings;
  const shared = {
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
    // The SDK's own clock runs per attempt; the request's deadline is the one that counts.
    timeout: settings.requestTimeoutMs,
    fetch: transport,
  } as const;
  return withoutCustomHeaders(() => {
    if (apiVersion === 'v1') {
      return new OpenAI({
        ...shared,
        baseURL: new URL('openai/v1/', directory(endpoint)).href,
        apiKey: apiKey ?? token,
      });
    }
    const credentials = apiKey ? { apiKey } : { apiKey: '', azureADTokenProvider: token };
    return new AzureOpenAI({ ...shared, ...credentials, baseURL: null, endpoint, deployment, apiVersion });
  });
}

/** OPENAI_CUSTOM_HEADERS has no option to override it, and could replace the Authorization header. */
function withoutCustomHeaders<T>(create: () => T): T {
  const custom = process.env['OPENAI_CUSTOM_HEADERS'];
  delete process.env['OPENAI_CUSTOM_HEADERS'];
  try {
    return create();
  } finally {
    if (custom !== undefined) process.env['OPENAI_CUSTOM_HEADERS'] = custom;
  }
}

function directory(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
