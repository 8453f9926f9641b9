import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createCors } from '../../src/http/cors.ts';
import { anonymous } from '../../src/server/guard.ts';
import { startServer } from '../../src/server/server.ts';

const ENV = { AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com', AZURE_OPENAI_DEPLOYMENT: 'gpt-vision' };

test('closes although connections keep arriving, and refuses them from then on', async () => {
  const settings = { port: 0, host: '127.0.0.1', drainMs: 1_000, tokens: undefined };
  const server = await startServer(createApp(ENV, anonymous), settings, createCors(undefined));
  const port = Number(new URL(server.url).port);
  // Client and server share the event loop, so the server has a new connection in each iteration of the loop.
  let refused = 0;
  let isClosed = false;
  const keepConnecting = (): void => {
    if (isClosed) return;
    const socket = connect(port, '127.0.0.1', () => socket.destroy());
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') refused += 1;
    });
    setImmediate(keepConnecting);
  };
  keepConnecting();
  const first = connect(port, '127.0.0.1');
  await once(first, 'connect');
  first.destroy();
  expect(refused).toBe(0);
  await server.close();
  isClosed = true;
  expect(refused).toBeGreaterThan(0);
}, 30_000);
