import type { HttpHandler } from '@azure/functions';
import { commonHeaders } from '../http/create-handler.ts';
import { once } from '../config/once.ts';
import type { Deployed } from '../openapi/document.ts';

/** `GET /api/openapi.json`: written when it is first asked for, so that a cold start does not pay for it; kept from then on. */
export function openApi(deployed: Deployed): HttpHandler {
  const json = once(async () => write(deployed));
  return async (_request, invocation) => {
    return {
      status: 200,
      headers: { 'content-type': 'application/json', ...commonHeaders(invocation.invocationId) },
      body: await json(),
    };
  };
}

async function write(deployed: Deployed): Promise<string> {
  const { openApiDocument } = await import('../openapi/document.ts');
  return JSON.stringify(openApiDocument(deployed));
}
