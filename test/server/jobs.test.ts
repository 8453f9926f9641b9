import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { end, serve, type ServerProcess } from './serve.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const ROUTES = [
  ['POST', 'jobs'],
  ['GET', `jobs/${ID}`],
  ['DELETE', `jobs/${ID}`],
  ['GET', `jobs/${ID}/results`],
] as const;

let azure: EmulatedAzure;
/** One without a storage account for jobs, and one with it. */
let servers: ServerProcess[];
beforeAll(async () => {
  azure = await startAzure({ record: true });
  const env = { ...azure.env, HTTP_AUTH_LEVEL: 'anonymous' };
  servers = await Promise.all([serve(env), serve({ ...env, JOBS_STORAGE_ACCOUNT: 'myaccount' })]);
});
afterAll(async () => {
  await Promise.all(servers.map(end));
  azure.close();
});

test.each(ROUTES)('%s /api/%s answers misconfigured, because jobs need the Functions host', async (method, path) => {
  for (const { url } of servers) {
    const response = await fetch(`${url}/api/${path}`, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      code: 'misconfigured',
      detail: expect.stringContaining('Jobs need the Functions host'),
      settings: ['JOBS_STORAGE_ACCOUNT'],
    });
  }
});
