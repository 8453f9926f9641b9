import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { still } from '../images/still.ts';
import { startApp } from './app.ts';
import { ask } from './ask.ts';

test.each([
  { proxy: 'HTTPS_PROXY', target: 'Entra', method: 'CONNECT' },
  { proxy: 'HTTP_PROXY', target: "a managed identity's endpoint", method: 'GET' },
])('$target is asked through $proxy', async ({ proxy, target, method }) => {
  const { url, asked } = await startProxy();
  const { env } = target === 'Entra' ? await withSecret() : await startAzureHere();
  const app = await startApp({ ...env, NO_PROXY: '', [proxy]: url });
  onTestFinished(async () => app.stop());

  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(asked).toEqual(expect.arrayContaining([expect.stringContaining(`${method} `)]));
});

async function startAzureHere() {
  const azure = await startAzure({ record: true });
  onTestFinished(() => azure.close());
  return azure;
}

async function withSecret(): Promise<{ env: Record<string, string> }> {
  const azure = await startAzureHere();
  const entra = await startEntra(azure.authority);
  onTestFinished(async () => entra.close());
  const { clientId, secret } = entra.application;
  return {
    env: {
      ...azure.env,
      ...entra.env,
      AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: secret,
    },
  };
}

/** A proxy as companies have them, which notes what it is asked. */
async function startProxy(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    const passed = request(req.url ?? '', { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(passed);
  });
  server.on('connect', ({ method, url }, caller) => {
    asked.push(`${method} ${url}`);
    const [host, port] = url?.split(':') ?? [];
    const target = connect(Number(port), host, () => {
      caller.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(caller).pipe(target);
    });
    target.on('error', () => caller.destroy());
    caller.on('error', () => target.destroy());
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, asked };
}
