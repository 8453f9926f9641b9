import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';

/** For one attempt. Without it, an identity endpoint that says nothing keeps its connections for ever. */
const ATTEMPT_TIMEOUT_MS = 60_000;

/** The HTTP client of the credentials: the usual one, with a limit to its patience. */
export function identityHttp(): HttpClient {
  const client = createDefaultHttpClient();
  return {
    async sendRequest(request) {
      request.timeout ||= ATTEMPT_TIMEOUT_MS;
      return client.sendRequest(request);
    },
  };
}
