import { once } from '../config/once.ts';
import type { Handle } from '../http/create-handler.ts';
import type { Published } from './route.ts';

/** `GET /api/openapi.json`: answers with the OpenAPI document. It is generated at the first request and then kept. */
export function openApi(published: Published): Handle {
  const json = once(async () => {
    const { openApiDocument } = await import('../openapi/document.ts');
    return JSON.stringify(openApiDocument(published));
  });
  return async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: await json() });
}
