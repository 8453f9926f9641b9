import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { base64Length, CHUNK_BYTES } from '../../src/azure/base64-encoder.ts';
import { type Pieces, SMALL_WRITE_BYTES, WRITE_BYTES } from '../../src/azure/request-body.ts';
import { transport } from '../../src/azure/transport.ts';
import { releaseBuffer } from '../../src/http/release-buffer.ts';

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const BOUNDARIES = [CHUNK_BYTES, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES, 110_000].flatMap((bytes) => [
  bytes - 1,
  bytes,
  bytes + 1,
]);

test.each([0, 1, 2, 3, ...BOUNDARIES, 20_971_520])(
  'sends an image of %d bytes unchanged, with a Content-Length',
  async (size) => {
    const image = randomBytes(size);
    const { url, requests } = await serve(async (request, response) => {
      response.end(await sha256OfImage(request));
    });
    const response = await send(
      url,
      '{"before":"ü","url":"data:image/png;base64,PLACE","after":1}',
      new Map([['PLACE', [image]]]),
    );
    expect(await response.text()).toBe(createHash('sha256').update(image).digest('hex'));
    expect(requests[0]?.headers['transfer-encoding']).toBeUndefined();
  },
);

test('sends an image in pieces of any lengths as one, in a second attempt, too', async () => {
  const { url } = await serve(async (request, response) => response.end(await text(request)));
  const lengths = fc.array(fc.oneof(fc.nat(8), fc.integer({ min: CHUNK_BYTES - 5, max: CHUNK_BYTES + 5 })), {
    minLength: 1,
    maxLength: 9,
  });
  await fc.assert(
    fc.asyncProperty(lengths, async (given) => {
      const pieces = given.map((length) => randomBytes(length));
      const expected = Buffer.concat(pieces).toString('base64');
      const images = new Map([['P', pieces]]);
      for (let attempt = 0; attempt < 2; attempt += 1)
        expect(await (await send(url, '["P"]', images)).json()).toEqual([expected]);
    }),
    { numRuns: 60 },
  );
});

test('sends JSON of any length around images', async () => {
  const { url } = await serve(async (request, response) => response.end(await text(request)));
  const long = fc.oneof(fc.nat(20), fc.integer({ min: 60_000, max: 300_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(long, fc.nat(150_000)), { minLength: 1, maxLength: 4 }), async (parts) => {
      const json = parts.flatMap(([length], at) => ['ü'.repeat(length), `place ${at}`]);
      const images = new Map(parts.map(([, size], at) => [`place ${at}`, [randomBytes(size)]]));
      const expected = json.map((each) => images.get(each)?.[0]?.toString('base64') ?? each);
      expect(await (await send(url, JSON.stringify([...json, 'end']), images)).json()).toEqual([...expected, 'end']);
    }),
    { numRuns: 40 },
  );
});

const WRITES = [SMALL_WRITE_BYTES, WRITE_BYTES].flatMap((bytes) => [bytes - 1, bytes, bytes + 1]);

test.each(WRITES)('sends a body of %d bytes, about as long as what is written at once', async (bytes) => {
  const { url } = await serve(async (request, response) => response.end(await text(request)));
  const image = randomBytes(300);
  const rest = bytes - base64Length(image.length) - '["",""]'.length;
  const json = JSON.stringify(['P', 'x'.repeat(rest)]);
  const answer = await (await send(url, json, new Map([['P', [image]]]))).json();
  expect(answer).toEqual([image.toString('base64'), 'x'.repeat(rest)]);
});

test('fails only the request if the memory of its image is freed while it is sent', async () => {
  const whole = Buffer.allocUnsafeSlow(20_000_000);
  const pieces = [whole.subarray(0, 10_000_001), Buffer.from('new'), whole.subarray(10_000_005)];
  const { url, closed } = await serve((request) => request.once('data', () => releaseBuffer(whole)));
  await expect(send(url, '["P"]', new Map([['P', pieces]]))).rejects.toThrow();
  await closed;
});

test('puts each of several images in place of its own placeholder', async () => {
  const { url } = await serve(async (request, response) => response.end(await text(request)));
  const images = new Map([
    ['P1', [Buffer.from('one')]],
    ['P2', [Buffer.from('two')]],
  ]);
  const response = await send(url, '["P1","between","P2"]', images);
  expect(await response.json()).toEqual([btoa('one'), 'between', btoa('two')]);
});

test('returns an error response that comes before the body is sent, and does not send the rest', async () => {
  let received = 0;
  const { url } = await serve((request, response) => {
    response.writeHead(401).end('no');
    request.on('data', (chunk: Buffer) => (received += chunk.length));
  });
  const response = await send(url, '"P"', new Map([['P', [Buffer.alloc(20_000_000)]]]));
  expect(response.status).toBe(401);
  expect(await response.text()).toBe('no');
  expect(received).toBeLessThan(20_000_000);
});

test('does not follow a redirect, so that only the endpoint gets the token', async () => {
  const { url, requests } = await serve((_request, response) =>
    response.writeHead(307, { location: '/elsewhere' }).end(),
  );
  expect((await send(url, '{}', new Map())).status).toBe(307);
  expect(requests).toHaveLength(1);
});

test('closes the connection of an aborted request, both during the response and before it', async () => {
  const { url, closed } = await serve((_request, response) => {
    response.writeHead(200).write('the first words');
  });
  const controller = new AbortController();
  const { signal } = controller;
  const response = await send(url, '{}', new Map(), { signal, streams: true });
  const reading = response.text();
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow();
  await closed;

  const silent = await serve(() => undefined);
  const waiting = send(silent.url, '{}', new Map(), { signal: AbortSignal.timeout(50) });
  await expect(waiting).rejects.toThrow('timeout');
  await silent.closed;
});

test('resolves once a whole answer has arrived; if it breaks off, reading it fails', async () => {
  let hasEnded = false;
  const { url } = await serve((request, response) => {
    const breaksOff = request.headers['content-length'] === '4';
    response.writeHead(200, { 'content-length': 8 }).write('{"a":');
    setTimeout(() => {
      hasEnded = true;
      if (breaksOff) response.destroy();
      else response.end('42}');
    }, 20);
  });
  const whole = await send(url, '{}', new Map());
  expect(hasEnded).toBe(true);
  expect(await whole.json()).toEqual({ a: 42 });

  const brokenOff = await send(url, '{{}}', new Map());
  expect(brokenOff.status).toBe(200);
  await expect(brokenOff.json()).rejects.toThrow('aborted');
});

test('reuses a connection', async () => {
  const { url, sockets } = await serve((_request, response) => response.end('ok'));
  for (let round = 0; round < 3; round += 1) {
    const response = await send(url, '{}', new Map());
    await response.text();
  }
  expect(sockets).toHaveLength(1);
});

const gzip = (plain: string) => zlib.gzipSync(plain);
const compress: Record<string, (plain: string) => Buffer> = {
  gzip,
  'x-gzip': gzip,
  GZIP: gzip,
  deflate: (plain) => zlib.deflateSync(plain),
  br: (plain) => zlib.brotliCompressSync(plain),
  zstd: (plain) => zlib.zstdCompressSync(plain),
  'gzip, br': (plain) => zlib.brotliCompressSync(gzip(plain)),
  'identity, gzip': gzip,
  identity: (plain) => Buffer.from(plain),
};

test.each(Object.keys(compress).flatMap((encoding) => [200, 429].map((status) => [encoding, status] as const)))(
  'reads a response in %s with the status %d, although it asks for identity',
  async (encoding, status) => {
    const body = '{"error":{"message":"ü"}}';
    const { url, requests } = await serve((_request, response) => {
      response.writeHead(status, { 'content-encoding': encoding }).end(compress[encoding]?.(body));
    });
    const response = await send(url, '{}', new Map());
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
    expect(response.headers.get('content-encoding') ?? 'identity').toBe('identity');
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  },
);

test('decompresses a stream piece by piece', async () => {
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    const gzipped = zlib.createGzip();
    gzipped.pipe(response);
    gzipped.write('first');
    gzipped.flush();
  });
  const response = await send(url, '{}', new Map(), { streams: true });
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
  await reader?.cancel();
});

test('reading a response fails if it is not compressed as its Content-Encoding says', async () => {
  const { url } = await serve((_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain'),
  );
  await expect((await send(url, '{}', new Map())).text()).rejects.toThrow();
});

test('passes on an unknown Content-Encoding, so that the problem can name it', async () => {
  const { url } = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'lzma' }).end('x'));
  expect((await send(url, '{}', new Map())).headers.get('content-encoding')).toBe('lzma');
});

test.each([
  [{ code: 'a', message: 'flat' }, { error: { code: 'a', message: 'flat' } }],
  [{ statusCode: 403, message: 'flat' }, { error: { statusCode: 403, message: 'flat' } }],
  [{ error: 'text' }, { error: { error: 'text', message: 'text' } }],
  [{ detail: 'text' }, { error: { detail: 'text', message: 'text' } }],
  [[{ error: { message: 'listed' } }], { error: { message: 'listed' } }],
  [{ error: { message: 'as Azure does' } }, { error: { message: 'as Azure does' } }],
])('turns the error %j into the shape that the SDK reads', async (body, expected) => {
  const { url } = await serve((_request, response) => response.writeHead(400).end(JSON.stringify(body)));
  expect(await (await send(url, '{}', new Map())).json()).toEqual(expected);
});

test.each([new Uint8Array([1]), new URLSearchParams('a=b'), new Blob(['x'])])(
  'throws if the body is not a string',
  async (body) => {
    await expect(transport('http://127.0.0.1:9/', { method: 'POST', body })).rejects.toThrow('can only send a string');
  },
);

async function send(
  url: string,
  body: string,
  images: ReadonlyMap<string, Pieces>,
  { signal = new AbortController().signal, streams = false } = {},
): Promise<Response> {
  const call = { images, deadline: { remaining: () => 60_000, signal }, attempts: 0, failure: undefined };
  const headers = { 'content-type': 'application/json' };
  return transport(url, { method: 'POST', body, headers, call, streams });
}

async function serve(listener: (request: IncomingMessage, response: http.ServerResponse) => unknown) {
  const requests: IncomingMessage[] = [];
  const sockets: unknown[] = [];
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  const server = http.createServer((request, response) => {
    requests.push(request);
    response.once('close', () => close());
    listener(request, response);
  });
  server.on('connection', (socket) => sockets.push(socket));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests, sockets, closed };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks)).toHaveLength(Number(request.headers['content-length']));
  return Buffer.concat(chunks).toString('utf8');
}

async function sha256OfImage(request: IncomingMessage): Promise<string> {
  const json = JSON.parse(await text(request)) as { url: string };
  return createHash('sha256')
    .update(Buffer.from(json.url.slice('data:image/png;base64,'.length), 'base64'))
    .digest('hex');
}
