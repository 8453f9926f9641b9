import { version } from '../config/version.ts';
import type { Handle } from '../http/create-handler.ts';
import type { Service } from './service.ts';

/** `GET /api/health`: answers with the version if the process is alive. It uses nothing outside the process. */
export function health(): Handle {
  return async () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'ok', version }),
  });
}

/**
 * `GET /api/health/ready`: checks settings, token, deployment and storage, without a paid call. 503 if a check fails.
 */
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
