import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { askModel } from './ask-model.ts';

const DAY_MS = 24 * 60 * 60_000;
const trusted = tls.getCACertificates('default');
afterEach(() => tls.setDefaultCACertificates(trusted));

interface Certificate {
  readonly name?: string;
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly isTrusted?: boolean;
}

test.each([
  { what: 'untrusted', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', reason: 'its certificate is not trusted' },
  { what: 'expired', from: -3, until: -1, isTrusted: true, code: 'CERT_HAS_EXPIRED', reason: 'has expired' },
  { what: 'not valid yet', from: 1, isTrusted: true, code: 'CERT_NOT_YET_VALID', reason: 'not valid yet' },
  {
    what: 'for another name',
    name: 'elsewhere.example',
    isTrusted: true,
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    reason: 'for another name',
  },
])('a certificate that is $what: says so, and does not retry', async ({ code, reason, ...certificate }) => {
  const { url, handshakes } = await startTls(certificate);
  for (const stream of [false, true]) {
    const before = handshakes();
    const { problem } = await askModel({ AZURE_OPENAI_ENDPOINT: url, UPSTREAM_MAX_RETRIES: '2' }, { stream });
    expect(problem).toMatchObject({ code: 'upstream_error', detail: expect.stringContaining(`(${code})`) });
    expect(problem?.detail).toContain(reason);
    expect(problem?.detail).toContain('NODE_EXTRA_CA_CERTS');
    expect(handshakes() - before).toBe(1);
  }
});

test('accepts a valid certificate', async () => {
  const { url } = await startTls({ isTrusted: true });
  expect((await askModel({ AZURE_OPENAI_ENDPOINT: url })).problem).toBeUndefined();
});

test('a server without TLS: says that TLS fails, and does not retry', async () => {
  const { createServer: createTcp } = await import('node:net');
  let connections = 0;
  const server = createTcp((socket) => {
    connections += 1;
    socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { problem } = await askModel({
    AZURE_OPENAI_ENDPOINT: `https://127.0.0.1:${port}/`,
    UPSTREAM_MAX_RETRIES: '2',
  });
  expect(problem?.detail).toContain('TLS fails');
  expect(connections).toBe(1);
});

test.each([
  { endpoint: 'https://127.0.0.1:9/', code: 'ECONNREFUSED', fix: 'check the address and the port' },
  { endpoint: 'https://nobody.invalid/', code: /ENOTFOUND|EAI_AGAIN/, fix: 'check' },
])('a connection that fails with $code: names the code, and says what to do', async ({ endpoint, code, fix }) => {
  const { problem } = await askModel({ AZURE_OPENAI_ENDPOINT: endpoint });
  expect(problem?.detail).toMatch(code);
  expect(problem?.detail).toContain(fix);
});

/** Starts a TLS server at 127.0.0.1 that answers every request with a completion. */
async function startTls({ name = '127.0.0.1', from = -1, until = 30, isTrusted = false }: Certificate) {
  const ip = name === '127.0.0.1';
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    notBeforeDate: new Date(Date.now() + from * DAY_MS),
    notAfterDate: new Date(Date.now() + until * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [ip ? { type: 7, ip: name } : { type: 2, value: name }] },
    ],
  });
  if (isTrusted) tls.setDefaultCACertificates([...trusted, cert]);
  let handshakes = 0;
  const message = { role: 'assistant', content: 'Hi' };
  const completion = { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] };
  const server = createServer({ key, cert }, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion));
  });
  server.on('connection', () => (handshakes += 1));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, handshakes: () => handshakes };
}
