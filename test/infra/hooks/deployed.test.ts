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
  test('reads the function key with the sign-in of azd, asks the app, and does not print the key', async () => {
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
    expect(manager.requests).toEqual([
      `POST ${APP_ID}/host/default/listKeys?api-version=2024-11-01 Bearer a-token-of-azd`,
    ]);
    expect(output).not.toContain('a-function-key');
  });

  test('does not ask the app if callers sign in with Entra ID', async () => {
    const { url, azure } = await running();
    const manager = await resourceManager();
    const { code, output } = await hook('hook:deployed', {
      SERVICE_API_URI: url,
      SERVICE_API_SIGN_IN: 'true',
      RESOURCE_MANAGER: manager.url,
    });
    expect(output).toContain('Its callers sign in with Entra ID');
    expect([code, manager.requests, azure.model.requests]).toEqual([0, [], []]);
  });

  test('checks the second app and its queue trigger if there are jobs', async () => {
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
    expect([code, manager.requests]).toEqual([
      0,
      [`GET ${APP_ID}-jobs/functions/jobs?api-version=2024-11-01 Bearer a-token-of-azd`],
    ]);
  });

  test('fails if the function key cannot be read, and says how to run the hook again', async () => {
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
])('the wait for the queue trigger fails if Azure keeps answering %i', async (status, reason) => {
  const { url } = await resourceManager(status);
  const credential = { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const waited = waitForTrigger({ url, credential }, APP_ID, { seconds: 0.2, everySeconds: 0.1 });
  await expect(waited).rejects.toThrow(reason);
});

/** Starts an emulated Azure Resource Manager, in which every app has a key and a trigger. It records its requests. */
async function resourceManager(status = 200): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer(({ method, url, headers }, response) => {
    requests.push(`${method} ${url} ${headers.authorization}`);
    response
      .writeHead(status)
      .end(JSON.stringify({ masterKey: 'unused', functionKeys: { default: 'a-function-key' } }));
  });
  const port = await listen(server, 0);
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${port}/`, requests };
}

/** Runs a hook as azd does. A fake azd on the PATH returns a token. */
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
