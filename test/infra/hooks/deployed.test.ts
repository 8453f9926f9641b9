import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitForTrigger } from '../../../infra/hooks/job-trigger.ts';
import { listen } from '../../../src/dev/start/listen.ts';
import { running } from './running.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const APP_ID = '/subscriptions/1/resourceGroups/rg/providers/Microsoft.Web/sites/my-app';

describe('npm run hook:deployed', () => {
  test('reads the key as whoever signed in to azd, asks, and does not print the key', async () => {
    const { url } = await running();
    const manager = await resourceManager();
    const { code, output } = await hook('hook:deployed', {
      SERVICE_API_URI: url,
      SERVICE_API_SIGN_IN: 'false',
      RESOURCE_MANAGER: manager.url,
    });
    expect(output).toContain(`${url} is alive and answers.\nemulated-vision-`);
    expect(output).toContain('A JPEG image of 960 x 640 pixels');
    expect(code).toBe(0);
    expect(manager.asked).toEqual([
      `POST ${APP_ID}/host/default/listKeys?api-version=2024-11-01 Bearer a-token-of-azd`,
    ]);
    expect(output).not.toContain('a-function-key');
  });

  test('asks nothing where callers sign in', async () => {
    const { url, azure } = await running();
    const manager = await resourceManager();
    const { code, output } = await hook('hook:deployed', {
      SERVICE_API_URI: url,
      SERVICE_API_SIGN_IN: 'true',
      RESOURCE_MANAGER: manager.url,
    });
    expect(output).toContain('Its callers sign in with Entra ID');
    expect([code, manager.asked, azure.model.requests]).toEqual([0, [], []]);
  });

  test('looks at the second app and its trigger where there are jobs', async () => {
    const { url } = await running();
    const manager = await resourceManager();
    const { code, output } = await hook('hook:deployed', {
      SERVICE_API_URI: url,
      SERVICE_API_SIGN_IN: 'true',
      SERVICE_JOBS_URI: url,
      SERVICE_JOBS_ID: `${APP_ID}-jobs`,
      RESOURCE_MANAGER: manager.url,
    });
    expect(output).toContain(`${url} is alive and takes the messages of jobs.`);
    expect([code, manager.asked]).toEqual([
      0,
      [`GET ${APP_ID}-jobs/functions/jobs?api-version=2024-11-01 Bearer a-token-of-azd`],
    ]);
  });

  test('fails, and says how to look again', async () => {
    const { url } = await running();
    const manager = await resourceManager(403);
    const { code, output } = await hook('hook:deployed', {
      SERVICE_API_URI: url,
      SERVICE_API_SIGN_IN: 'false',
      RESOURCE_MANAGER: manager.url,
    });
    expect(output).toContain('The function key cannot be read: Azure answered 403.');
    expect(output).toContain('azd hooks run postdeploy');
    expect(code).toBe(1);
  });
});

test.each([
  [404, 'The second app has no queue trigger.'],
  [403, 'Azure answered 403'],
])('a second app whose trigger is answered with %i fails the deployment', async (status, reason) => {
  const { url } = await resourceManager(status);
  const credential = { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const waited = waitForTrigger({ url, credential }, APP_ID, { seconds: 0.2, everySeconds: 0.1 });
  await expect(waited).rejects.toThrow(reason);
});

/** Azure Resource Manager's far end: it knows every app, each with a key and a trigger. */
async function resourceManager(status = 200): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url} ${headers.authorization}`);
    response
      .writeHead(status)
      .end(JSON.stringify({ masterKey: 'unused', functionKeys: { default: 'a-function-key' } }));
  });
  const port = await listen(server, 0);
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${port}/`, asked };
}

/** Runs a hook as azd does, with a stand-in for azd's own sign-in on the PATH. */
async function hook(script: string, variables: Record<string, string>): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'azd-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const token = JSON.stringify({ token: 'a-token-of-azd', expiresOn: new Date(Date.now() + 3_600_000).toISOString() });
  writeFileSync(join(folder, 'azd'), `#!/bin/sh\necho '${token}'\n`);
  chmodSync(join(folder, 'azd'), 0o755);
  const env = {
    ...process.env,
    ...variables,
    SERVICE_API_ID: APP_ID,
    PATH: `${folder}${delimiter}${process.env['PATH']}`,
  };
  return new Promise((resolve) => {
    const child = execFile('npm', ['run', '--silent', script], { cwd: ROOT, env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}
