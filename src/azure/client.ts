import { AzureOpenAI, OpenAI } from 'openai';
import type { Settings, Target } from '../config/settings.ts';
import { transport } from './transport.ts';

/**
 * Creates the SDK's client for one deployment.
 *
 * The SDK reads every option that it is not given from the environment, so this sets them all. Otherwise,
 * OPENAI_BASE_URL would conflict with the endpoint, AZURE_OPENAI_API_KEY would conflict with the token, OPENAI_ORG_ID
 * and OPENAI_PROJECT_ID would be sent, and OPENAI_LOG=debug would log the content of requests.
 * @param token - returns a token for each attempt; not called if the settings have a key
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
    // In milliseconds, for each attempt. The request's deadline, which its signal enforces, is never longer.
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

/** Hides OPENAI_CUSTOM_HEADERS from the SDK: no option overrides it, and it could replace the Authorization header. */
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
