import type { HttpHandler } from '@azure/functions';
import { commonHeaders } from '../http/create-handler.ts';
import { version } from '../config/version.ts';

/** `GET /api/health`: alive, and which version; touches nothing outside the process, the settings included. */
export const health: HttpHandler = (_request, invocation) => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...commonHeaders(invocation.invocationId) },
  body: JSON.stringify({ status: 'ok', version }),
});
