import { version } from '../config/version.ts';
import type { Handle } from '../http/create-handler.ts';
import type { Service } from './service.ts';

/** `GET /api/health`: alive, and which version. It touches nothing outside the process. */
export function health(): Handle {
  return async () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'ok', version }),
  });
}

/** `GET /api/health/ready`: whether a question would find an identity and a deployment, at no cost; a line for each check. */
export function ready({ readiness }: Service): Handle {
  return async () => {
    const report = await readiness();
    return {
      status: report.ok ? 200 : 503,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(report),
    };
  };
}
