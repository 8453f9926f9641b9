import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { still } from '../images/still.ts';
import { startBoth } from './app.ts';
import { ask } from './ask.ts';
import { readEvents } from './events.ts';

/** An environment that makes the app's process run `code`, half a second after it starts to listen. */
function sabotage(code: string): Record<string, string> {
  const script = `const { log } = console; console.log = (text) => { log(text); if (text.includes('listening on')) setTimeout(() => { ${code} }, 500); }`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

test('an unhandled rejection does not end the process or its request, and is logged without its message', async () => {
  const { app, azure } = await startBoth(sabotage("Promise.reject(new RangeError(['secret','words'].join('-')))"));
  azure.model.fail({ delayMs: 1_500 });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(app.alive()).toBe(true);
  await app.stop();
  azure.close();
  expect(app.output()).toMatch(/"code":"unhandled_rejection","error":"RangeError","at":\["at /);
  expect(app.output()).not.toContain('secret-words');
});

test('an internal error is logged with its positions in the source and without its message', async () => {
  const { app, azure } = await startBoth(
    sabotage("URLSearchParams.prototype.has = () => { throw new RangeError(['secret','words'].join('-')); }"),
  );
  await sleep(1_000);
  expect((await ask(app.url, await still('image/png', 8, 8))).json()).toMatchObject({ code: 'internal_error' });
  await app.stop();
  azure.close();
  const [, described = ''] = /failed unexpectedly: (\{.*\})$/m.exec(app.output()) ?? [];
  const { error, at } = JSON.parse(described) as { error: string; at: string[] };
  expect(error).toBe('RangeError');
  const [, file = '', line] = at.flatMap((frame) => /\((src\/[\w/-]+\.ts):(\d+):\d+\)/.exec(frame) ?? []);
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split('\n');
  expect(source[Number(line) - 1]).toContain('searchParams.has(name)');
  expect(app.output()).not.toContain('secret-words');
});

test('after SIGTERM, the request in progress is answered, then the process ends', async () => {
  const { app, azure } = await startBoth();
  azure.model.fail({ delayMs: 1_500 });
  const pending = ask(app.url, await still('image/png', 8, 8));
  await sleep(500);
  const stopped = app.stop();
  expect((await pending).status).toBe(200);
  await stopped;
  expect(app.alive()).toBe(false);
  azure.close();
});

test('a streamed answer is logged in one line, although its invocation has already ended', async () => {
  const { app, azure } = await startBoth();
  const { status, text } = await ask(app.url, await still('image/png', 8, 8), {
    headers: { accept: 'text/event-stream' },
  });
  await app.stop();
  azure.close();
  const { requestId } = readEvents(text).at(-1)?.data ?? {};
  const lines = app
    .output()
    .split('\n')
    .filter((line) => line.includes(String(requestId)));
  expect([status, ...lines]).toEqual([200, expect.stringMatching(/^\{.*"finishReason":"stop".*\}$/)]);
});

test('each request is logged in one line, with its status, images, usage and timings, and nothing else', async () => {
  const { app, azure } = await startBoth();
  const image = await still('image/png', 8, 8);
  const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
  await ask(app.url, image, { query: {} });
  await app.stop();
  azure.close();
  const lines = app
    .output()
    .split('\n')
    .flatMap((line) => /processImage: (\{.*\})$/.exec(line)?.[1] ?? [])
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    {
      requestId: answer.headers.get('x-request-id'),
      status: 200,
      images: [{ type: 'image/png', width: 8, height: 8, bytes: image.length }],
      model: answer.json()['model'],
      usage: answer.json()['usage'],
      finishReason: 'stop',
      upstreamRequestId: answer.json()['upstreamRequestId'],
      ms: { read: expect.any(Number), token: expect.any(Number), model: expect.any(Number), total: expect.any(Number) },
    },
    { requestId: expect.any(String), status: 400, code: 'missing_instructions', ms: { total: expect.any(Number) } },
  ]);
});
