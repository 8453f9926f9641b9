import type { HttpHandler } from '@azure/functions';
import { commonHeaders } from '../http/front-door.ts';
import { version } from '../version.ts';

/** `GET /api/health`: alive, and which version; touches nothing outside the process, the settings included. */
export const health: HttpHandler = (_request, context) => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...commonHeaders(context.invocationId) },
  body: JSON.stringify({ status: 'ok', version }),
});
