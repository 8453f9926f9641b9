import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { ask } from './ask.ts';
import { readEvents } from './events.ts';
import { heldBytes, PROBE } from './memory.ts';

const WORD_DELAY_MS = 200;
/** The most that sockets and streams between the model and the caller may buffer. */
const MAX_HELD_BYTES = 24 * 1024 * 1024;
const EVENTS = { accept: 'text/event-stream' };

let app: App;
let azure: EmulatedAzure;
let image: Buffer;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ REQUEST_TIMEOUT_SECONDS: '10', ...PROBE }));
  image = await still('image/png', 16, 16);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

describe('the words of a streamed answer', () => {
  test('reach the caller as soon as the model sends them', async () => {
    await ask(app.url, image); // loads the modules, so that their loading is not measured
    azure.reset();
    azure.model.fail({ wordDelayMs: WORD_DELAY_MS });
    const arrivals: number[] = [];
    for await (const block of blocks(await open(EVENTS)))
      if (block.startsWith('event: delta')) arrivals.push(performance.now());
    const sent = azure.model.requests[0]?.sentAt ?? [];
    expect(arrivals.length).toBeGreaterThan(10);
    // After the words come the finish reason, the usage and [DONE].
    const words = sent.slice(0, -3).slice(-arrivals.length);
    const lags = arrivals.map((arrival, at) => arrival - (words[at] ?? 0)).toSorted((a, b) => a - b);
    expect(lags[Math.floor(lags.length / 2)]).toBeLessThan(100);
    expect(lags[0]).toBeGreaterThanOrEqual(0);
  });

  test('end with the finish reason and the usage; the headers have the request id and the timings', async () => {
    const answer = await ask(app.url, image, { headers: EVENTS });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('x-request-id')).toBe(readEvents(answer.text).at(-1)?.data['requestId']);
    expect(answer.headers.get('server-timing')).toMatch(/^read.*token.*model.*total/);
    expect(readEvents(answer.text).at(-1)).toMatchObject({
      event: 'done',
      data: { finishReason: 'stop', usage: { totalTokens: expect.any(Number) } },
    });
  });
});

describe('a client that disconnects', () => {
  test('after the third word cancels the model call', async () => {
    azure.model.fail({ wordDelayMs: WORD_DELAY_MS });
    const controller = new AbortController();
    let words = 0;
    for await (const block of blocks(await open(EVENTS, controller.signal))) {
      if (block.startsWith('event: delta')) words += 1;
      if (words === 3) break;
    }
    controller.abort();
    expect(await closedEarlyWithin(1_000)).toBe(true);
  });
});

test('the app does not buffer the whole answer for a client that reads nothing', async () => {
  const words = chunk('word '.repeat(200)).repeat(80_000); // 92 MB
  // A complete request first, so that modules and caches are already in memory.
  expect(readEvents((await ask(app.url, image, { headers: EVENTS })).text).at(-1)?.event).toBe('done');
  azure.model.requests.length = 0;
  azure.model.fail({ body: `${words}${chunk('', 'stop')}data: [DONE]\n\n` });
  const before = await heldBytes(app);
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.pause();
  socket.write(
    `POST /api/processImage?instructions=x HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Length: ${image.length}\r\n\r\n`,
  );
  socket.write(image);
  await until(() => azure.model.requests.length === 1);
  await sleep(2_500);
  const grown = (await heldBytes(app)) - before;
  socket.destroy();
  expect(await closedEarlyWithin(1_000), 'the model was still sending').toBe(true);
  expect(grown).toBeLessThan(MAX_HELD_BYTES);
});

function chunk(content: string, finishReason: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finishReason }] })}\n\n`;
}

async function open(headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  return fetch(`${app.url}/api/processImage?instructions=x`, {
    method: 'POST',
    body: new Uint8Array(image),
    headers,
    ...(signal ? { signal } : {}),
  });
}

async function* blocks(response: Response): AsyncGenerator<string> {
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const complete = (text + piece).split('\n\n');
    text = complete.pop() ?? '';
    yield* complete;
  }
}

async function closedEarlyWithin(milliseconds: number): Promise<boolean | undefined> {
  return Promise.race([azure.model.requests[0]?.closedEarly, sleep(milliseconds, false)]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}
