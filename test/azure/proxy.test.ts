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
/** What the proxy was asked, and what it says to CONNECT. */
const asked: string[] = [];
let credentials: string | undefined;
let verdict = 200;

const proxy = createHttpServer().on('connect', ({ method, url = '', headers }, caller) => {
  asked.push(`${method} ${url}`);
  credentials = headers['proxy-authorization'];
  caller.on('error', () => undefined);
  if (verdict !== 200) return void caller.end(`HTTP/1.1 ${verdict} No\r\ncontent-length: 0\r\n\r\n`);
  const target = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
    caller.write('HTTP/1.1 200 OK\r\n\r\n');
    target.pipe(caller).pipe(target);
  });
  target.on('error', () => caller.destroy());
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
  asked.length = 0;
  verdict = 200;
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

test('the model is asked through the tunnel of HTTPS_PROXY, with its user and password, and over TLS to the end', async () => {
  expect((await ask()).answer).toEqual(completion);
  expect(asked).toEqual([`CONNECT ${new URL(endpoint).host}`]);
  expect(credentials).toBe(`Basic ${btoa('user:hunter2')}`);
});

test.each(['127.0.0.1', '*', 'elsewhere.example, 127.0.0.1'])(
  'NO_PROXY=%s lets the model be asked directly',
  async (no) => {
    vi.stubEnv('NO_PROXY', no);
    expect((await ask()).answer).toEqual(completion);
    expect(asked).toEqual([]);
  },
);

test.each([403, 407, 502])(
  'a proxy that answers CONNECT with %d is named, without its password, and not asked twice',
  async (status) => {
    verdict = status;
    // A connection that stands already would not ask the proxy again.
    vi.stubEnv('HTTPS_PROXY', `http://user-${status}:hunter2@127.0.0.1:${proxyPort}`);
    const { problem } = await ask();
    expect(problem).toMatchObject({ code: 'upstream_error' });
    expect(problem?.detail).toContain(`through the proxy http://127.0.0.1:${proxyPort}`);
    expect(problem?.detail).toContain('HTTPS_PROXY');
    expect(problem?.detail).not.toMatch(/hunter2|user-/);
    expect(asked).toHaveLength(1);
  },
);

test('the doctor says which proxy is used, without its password, whether it works or not', async () => {
  const working = await checkEndpoint({ endpoint, deployment: 'x' });
  expect(working).toMatchObject({
    status: 'ok',
    reason: expect.stringContaining(`through the proxy http://127.0.0.1:`),
  });
  verdict = 407;
  const refused = await checkEndpoint({ endpoint, deployment: 'x' });
  expect(refused).toMatchObject({ status: 'fail', reason: expect.stringContaining('the proxy refuses') });
  expect(JSON.stringify([working, refused])).not.toMatch(/hunter2|user:/);
});

test('a proxy is named by its origin only', () => {
  expect(proxyName(endpoint)).toBe(`http://127.0.0.1:${proxyPort}`);
});

test.each(['proxy.example:8080', 'socks5://proxy.example', 'hunter2'])(
  '%s is refused as a proxy at the start',
  (value) => {
    for (const name of ['HTTPS_PROXY', 'http_proxy', 'ALL_PROXY']) {
      const read = () => readSettings({ AZURE_OPENAI_ENDPOINT: endpoint, AZURE_OPENAI_DEPLOYMENT: 'x', [name]: value });
      expect(read).toThrow(`${name} must be the URL of an HTTP proxy`);
      expect(read).not.toThrow('hunter2');
    }
  },
);
