import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { still } from '../images/still.ts';
import { type App, startApp } from './app.ts';
import { ask } from './ask.ts';

test('requests a token from Entra through HTTPS_PROXY', async () => {
  const { url, proxied } = await startProxy();
  const app = await start({ ...(await azureWithClientSecret()).env, NO_PROXY: '', HTTPS_PROXY: url });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(proxied).toEqual(expect.arrayContaining([expect.stringContaining('CONNECT ')]));
});

test('calls the model through the proxy, but the endpoint of the managed identity directly', async () => {
  const { url, proxied } = await startProxy();
  const azure = await startAzureHere();
  const app = await start({ ...azure.env, NO_PROXY: '', HTTP_PROXY: url, HTTPS_PROXY: url });
  const answer = await ask(app.url, await still('image/png', 8, 8));
  expect(answer.text).toContain('PNG');
  expect(azure.identity.requests).toHaveLength(1);
  expect(proxied).toEqual([expect.stringMatching(/^POST .*chat\/completions/)]);
});

test('calls the model directly if NO_PROXY lists its host', async () => {
  const { url, proxied } = await startProxy();
  const azure = await startAzureHere();
  const app = await start({ ...azure.env, NO_PROXY: 'elsewhere.example,127.0.0.1', HTTP_PROXY: url, HTTPS_PROXY: url });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(proxied).toEqual([]);
});

async function start(env: Record<string, string>): Promise<App> {
  const app = await startApp(env);
  onTestFinished(async () => app.stop());
  return app;
}

async function startAzureHere() {
  const azure = await startAzure({ record: true });
  onTestFinished(() => azure.close());
  return azure;
}

async function azureWithClientSecret(): Promise<{ env: Record<string, string> }> {
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

/** Starts a forward proxy, as companies have them, that records its requests. */
async function startProxy(): Promise<{ url: string; proxied: string[] }> {
  const proxied: string[] = [];
  const server = createServer((req, res) => {
    proxied.push(`${req.method} ${req.url}`);
    const forwarded = request(req.url ?? '', { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(forwarded);
  });
  server.on('connect', ({ method, url }, client) => {
    proxied.push(`${method} ${url}`);
    const [host, port] = url?.split(':') ?? [];
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, proxied };
}
