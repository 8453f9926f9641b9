import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { proxyName } from '../../src/azure/proxy.ts';
import { readSettings } from '../../src/config/settings.ts';
import { checkEndpoint } from '../../src/doctor/endpoint-check.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { askModel } from './ask-model.ts';

const trusted = tls.getCACertificates('default');
const completion = {
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};
/** The requests that the proxy got, and the status with which it answers CONNECT. */
const requests: string[] = [];
let authorization: string | undefined;
let connectStatus = 200;

const proxy = createHttpServer().on('connect', ({ method, url = '', headers }, client) => {
  requests.push(`${method} ${url}`);
  authorization = headers['proxy-authorization'];
  client.on('error', () => undefined);
  if (connectStatus !== 200) return void client.end(`HTTP/1.1 ${connectStatus} No\r\ncontent-length: 0\r\n\r\n`);
  const target = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    target.pipe(client).pipe(target);
  });
  target.on('error', () => client.destroy());
});
let model: ReturnType<typeof createTlsServer>;
let endpoint: string;
let proxyPort: number;

beforeAll(async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  tls.setDefaultCACertificates([...trusted, cert]);
  model = createTlsServer({ key, cert }, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion));
  });
  endpoint = `https://127.0.0.1:${await listen(model, 0)}/`;
  proxyPort = await listen(proxy, 0);
});
beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY', 'https_proxy', 'no_proxy']) vi.stubEnv(name, '');
  vi.stubEnv('HTTPS_PROXY', `http://user:hunter2@127.0.0.1:${proxyPort}`);
  requests.length = 0;
  connectStatus = 200;
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => {
  tls.setDefaultCACertificates(trusted);
  model.close();
  model.closeAllConnections();
  proxy.close();
  proxy.closeAllConnections();
});

async function ask() {
  return askModel({ AZURE_OPENAI_ENDPOINT: endpoint, UPSTREAM_MAX_RETRIES: '2' });
}

test('asks the model over TLS in a tunnel through HTTPS_PROXY, with the user and password of the proxy', async () => {
  expect((await ask()).answer).toEqual(completion);
  expect(requests).toEqual([`CONNECT ${new URL(endpoint).host}`]);
  expect(authorization).toBe(`Basic ${btoa('user:hunter2')}`);
});

test.each(['127.0.0.1', '*', 'elsewhere.example, 127.0.0.1'])(
  'asks the model without the proxy if NO_PROXY=%s',
  async (no) => {
    vi.stubEnv('NO_PROXY', no);
    expect((await ask()).answer).toEqual(completion);
    expect(requests).toEqual([]);
  },
);

test.each([403, 407, 502])(
  'names a proxy that answers CONNECT with %d, without its password, and does not retry',
  async (status) => {
    connectStatus = status;
    // A new user for each status, because the app would reuse an open connection without a new CONNECT.
    vi.stubEnv('HTTPS_PROXY', `http://user-${status}:hunter2@127.0.0.1:${proxyPort}`);
    const { problem } = await ask();
    expect(problem).toMatchObject({ code: 'upstream_error' });
    expect(problem?.detail).toContain(`through the proxy http://127.0.0.1:${proxyPort}`);
    expect(problem?.detail).toContain('HTTPS_PROXY');
    expect(problem?.detail).not.toMatch(/hunter2|user-/);
    expect(requests).toHaveLength(1);
  },
);

test('the doctor reports the proxy without its password, both if it works and if it refuses', async () => {
  const working = await checkEndpoint({ endpoint, deployment: 'x' });
  expect(working).toMatchObject({
    status: 'ok',
    reason: expect.stringContaining(`through the proxy http://127.0.0.1:`),
  });
  connectStatus = 407;
  const refused = await checkEndpoint({ endpoint, deployment: 'x' });
  expect(refused).toMatchObject({ status: 'fail', reason: expect.stringContaining('the proxy refuses') });
  expect(JSON.stringify([working, refused])).not.toMatch(/hunter2|user:/);
});

test('proxyName returns only the origin of the proxy', () => {
  expect(proxyName(endpoint)).toBe(`http://127.0.0.1:${proxyPort}`);
});

test.each(['10.9.8.7:8080', 'socks5://10.9.8.7', 'hunter2'])(
  'readSettings rejects the proxy %s, and does not repeat its value',
  (value) => {
    for (const name of ['HTTPS_PROXY', 'http_proxy', 'ALL_PROXY']) {
      const read = () => readSettings({ AZURE_OPENAI_ENDPOINT: endpoint, AZURE_OPENAI_DEPLOYMENT: 'x', [name]: value });
      expect(read).toThrow(`${name} must be the URL of an HTTP proxy`);
      expect(read).not.toThrow(value);
    }
  },
);
