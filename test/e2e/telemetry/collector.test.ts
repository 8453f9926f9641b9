import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { still } from '../../images/still.ts';
import { type App, startBoth } from '../app.ts';
import { ask } from '../ask.ts';
import { histogramsIn, resourceIn, type ReceivedSpan, spansIn, startCollector } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const HOST_SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${HOST_SPAN}-01` };
const INSTRUCTIONS = 'marker-of-the-instructions';
const CHAT = {
  'gen_ai.operation.name': 'chat',
  'openai.api.type': 'chat_completions',
  'gen_ai.provider.name': 'azure.ai.openai',
  'gen_ai.request.model': 'gpt-vision',
  'server.address': '127.0.0.1',
};
const [INTERNAL, CLIENT] = [1, 3];

test("a question makes a span below the host's span, one for each stage, and metrics of the model call", async () => {
  const collector = await startCollector();
  const { app, azure } = await startBoth({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    WEBSITE_SITE_NAME: 'my-app',
    UPSTREAM_MAX_RETRIES: '0',
  });
  azure.model.fail({ delayMs: 300 });
  const answer = await ask(app.url, await still('image/png', 8, 8), {
    query: { instructions: INSTRUCTIONS },
    headers: { accept: 'application/json', ...SAMPLED },
  });
  await app.stop();
  azure.close();
  expect(answer.status).toBe(200);
  const usage = answer.json()['usage'] as Record<string, number>;

  const spans = spansIn(collector);
  expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
    ['processImage', INTERNAL],
    ['read', INTERNAL],
    ['token', INTERNAL],
    ['chat gpt-vision', CLIENT],
  ]);
  const [request, read, token, answered] = spans as [ReceivedSpan, ReceivedSpan, ReceivedSpan, ReceivedSpan];
  expect(request).toMatchObject({ ids: { trace: TRACE, parent: HOST_SPAN }, failed: false });
  expect(request.attributes).toEqual({
    'faas.invocation_id': answer.headers.get('x-request-id'),
    'http.response.status_code': 200,
  });
  for (const stage of [read, token, answered]) {
    expect(stage).toMatchObject({ ids: { trace: TRACE, parent: request.ids.span }, failed: false });
    expect(stage.start >= request.start && stage.end <= request.end, `${stage.name} within the request`).toBe(true);
  }
  const port = Number(new URL(azure.env['AZURE_OPENAI_ENDPOINT'] ?? '').port);
  expect(answered.attributes).toEqual({
    ...CHAT,
    'server.port': port,
    'gen_ai.response.model': answer.json()['model'],
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': usage['inputTokens'],
    'gen_ai.usage.output_tokens': usage['outputTokens'],
    'azure.service.request.id': answer.json()['upstreamRequestId'],
  });
  expect(answered.milliseconds).toBeGreaterThan(295);
  expect(resourceIn(collector)).toMatchObject({
    'service.name': 'my-app',
    'service.version': expect.any(String),
    'service.instance.id': expect.any(String),
  });

  const shared = { ...CHAT, 'server.port': port, 'gen_ai.response.model': answer.json()['model'] };
  const histograms = histogramsIn(collector);
  expect(histograms).toEqual([
    expect.objectContaining({
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      count: 1,
      sum: usage['inputTokens'],
      attributes: { ...shared, 'gen_ai.token.type': 'input' },
    }),
    expect.objectContaining({
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      count: 1,
      sum: usage['outputTokens'],
      attributes: { ...shared, 'gen_ai.token.type': 'output' },
    }),
    expect.objectContaining({ name: 'gen_ai.client.operation.duration', unit: 's', count: 1, attributes: shared }),
  ]);
  expect(histograms[0]?.bounds).toEqual(Array.from({ length: 14 }, (_, power) => 4 ** power));
  expect(histograms[2]?.bounds).toEqual(Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power));
  expect(histograms[2]?.sum).toBeGreaterThan(0.295);
});

test("the chat span of a stream lasts until the last word, also in OpenAI's format", async () => {
  const collector = await startCollector();
  const { app, azure } = await startBoth({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, { wordDelayMs: 30 });
  const image = await still('image/png', 8, 8);
  const streamed = await ask(app.url, image, { headers: { accept: 'text/event-stream', ...SAMPLED } });
  await chat(app, image);
  await app.stop();
  azure.close();

  const inputTokens = Number(/"inputTokens":(\d+)/.exec(streamed.text)?.[1]);
  const chats = spansIn(collector).filter(({ name }) => name === 'chat gpt-vision');
  expect(chats).toHaveLength(2);
  for (const span of chats) {
    expect(span.milliseconds).toBeGreaterThan(250);
    expect(span.attributes).toMatchObject({
      ...CHAT,
      'gen_ai.response.model': expect.stringMatching(/./),
      'gen_ai.usage.output_tokens': expect.any(Number),
    });
  }
  expect(chats[0]?.attributes['gen_ai.usage.input_tokens']).toBe(inputTokens);
  expect(spansIn(collector).map(({ name }) => name)).toContain('chatCompletions');
});

test('spans and metrics of failures have error.type, and the call of a second region has its own span', async () => {
  const collector = await startCollector();
  const second = await startAzure({ deployments: ['gpt-second'] });
  const { app, azure } = await startBoth({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    AZURE_OPENAI_ENDPOINT_2: second.env['AZURE_OPENAI_ENDPOINT'] ?? '',
    AZURE_OPENAI_DEPLOYMENT_2: 'gpt-second',
  });
  azure.model.fail({ status: 429, headers: { 'retry-after': '30' } });
  const image = await still('image/png', 8, 8);
  // The second region rejects the token of the first.
  expect((await ask(app.url, image)).json()).toMatchObject({ code: 'model_access_denied' });
  expect((await ask(app.url, Buffer.from('no image'))).json()).toMatchObject({ code: 'unsupported_image_type' });
  await app.stop();
  azure.close();
  second.close();

  const outcomes = spansIn(collector).map(({ name, failed, attributes }) => [name, failed, attributes['error.type']]);
  expect(outcomes).toEqual([
    ['processImage', true, 'model_access_denied'],
    ['read', false, undefined],
    ['token', false, undefined],
    ['chat gpt-vision', true, 'rate_limited'],
    ['chat gpt-second', true, 'model_access_denied'],
    ['processImage', true, 'unsupported_image_type'],
    ['read', true, 'unsupported_image_type'],
  ]);
  const histograms = histogramsIn(collector).map(({ name, attributes }) => [
    name,
    attributes['gen_ai.request.model'],
    attributes['error.type'],
  ]);
  expect(histograms).toEqual([
    ['gen_ai.client.operation.duration', 'gpt-vision', 'rate_limited'],
    ['gen_ai.client.operation.duration', 'gpt-second', 'model_access_denied'],
  ]);
});

test('a request that the host does not sample makes no span, but is counted in the metrics', async () => {
  const collector = await startCollector();
  const { app, azure } = await startBoth({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await ask(app.url, await still('image/png', 8, 8), { headers: { traceparent: `00-${TRACE}-${HOST_SPAN}-00` } });
  await app.stop();
  azure.close();
  expect(spansIn(collector)).toEqual([]);
  expect(histogramsIn(collector).map(({ count }) => count)).toEqual([1, 1, 1]);
});

test('if the collector is down, requests succeed, one line is logged, and shutdown is not delayed', async () => {
  const { app, azure } = await startBoth({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  const image = await still('image/png', 8, 8);
  for (let count = 0; count < 5; count += 1) {
    expect((await ask(app.url, image)).status).toBe(200);
    await sleep(200);
  }
  await expect.poll(() => app.output(), { timeout: 10_000 }).toContain('Telemetry does not arrive');
  const stopping = Date.now();
  await app.stop();
  azure.close();
  expect(Date.now() - stopping).toBeLessThan(4_000);
  expect(app.output().match(/Telemetry does not arrive/g)).toHaveLength(1);
});

async function chat(app: App, image: Buffer): Promise<void> {
  const url = `data:image/png;base64,${image.toString('base64')}`;
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: INSTRUCTIONS },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ];
  const response = await fetch(`${app.url}/api/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages, stream: true, stream_options: { include_usage: true } }),
    headers: SAMPLED,
  });
  expect(response.status).toBe(200);
  await response.text();
}

// The semantic conventions have no operation for Responses, so that the span differs only in openai.api.type.
test('a question to Responses makes a chat span with openai.api.type responses', async () => {
  const collector = await startCollector();
  const { app, azure } = await startBoth({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const response = await fetch(`${app.url}/api/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: INSTRUCTIONS }),
  });
  expect(response.status).toBe(200);
  await app.stop();
  azure.close();
  const span = spansIn(collector).find(({ name }) => name === 'chat gpt-vision');
  expect(span?.attributes).toMatchObject({ ...CHAT, 'openai.api.type': 'responses' });
  expect(span?.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
});
