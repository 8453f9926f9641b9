import { version } from '../config/version.ts';
import type { Handle } from '../http/create-handler.ts';

/** `GET /api/health`: alive, and which version. It touches nothing outside the process. */
export function health(): Handle {
  return async () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'ok', version }),
  });
}
