import { expect, test } from 'vitest';
import { still } from '../../images/still.ts';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { startApp, startBoth } from '../app.ts';
import { ask } from '../ask.ts';
import { itemsIn, startApplicationInsights } from './application-insights.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const HOST_SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${HOST_SPAN}-01` };

test('spans and metrics arrive, with a token for Azure Monitor', async () => {
  const { receiver, env } = await startApplicationInsights();
  const { app, azure } = await startBoth({ ...env, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD' });
  const answer = await ask(app.url, await still('image/png', 8, 8), {
    headers: { accept: 'application/json', ...SAMPLED },
  });
  await app.stop();
  azure.close();
  expect(answer.status).toBe(200);

  expect(receiver.deliveries.map(({ path }) => path)).toEqual(['/v2.1/track', '/v2.1/track']);
  for (const { authorization } of receiver.deliveries) {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
    expect(await azure.authority.verify(token, ['https://monitor.azure.com'])).toBeDefined();
  }

  const items = itemsIn(receiver);
  expect(
    items.filter(({ kind }) => kind === 'Request'),
    'the host reports requests, the app does not',
  ).toEqual([]);
  const spans = items.filter(({ kind }) => kind === 'RemoteDependency');
  expect(new Set(spans.map(({ data }) => data.name))).toEqual(
    new Set(['processImage', 'read', 'token', 'chat gpt-vision']),
  );
  expect(spans).toHaveLength(4);
  const request = spans.find(({ data }) => data.name === 'processImage');
  expect(request).toMatchObject({
    data: { type: 'InProc', success: true },
    tags: { 'ai.operation.id': TRACE, 'ai.operation.parentId': HOST_SPAN },
  });
  const { inputTokens, outputTokens } = answer.json()['usage'] as Record<string, number>;
  expect(spans.find(({ data }) => data.name === 'chat gpt-vision')).toMatchObject({
    tags: { 'ai.operation.id': TRACE, 'ai.operation.parentId': request?.data.id },
    data: {
      success: true,
      properties: {
        'gen_ai.provider.name': 'azure.ai.openai',
        'gen_ai.usage.input_tokens': String(inputTokens),
        'gen_ai.usage.output_tokens': String(outputTokens),
      },
    },
  });
  const metrics = items.flatMap(({ data }) =>
    (data.metrics ?? []).map(({ name, value }) => [name, data.properties?.['gen_ai.token.type'], value]),
  );
  expect(
    metrics.filter(([name]) => name !== '_OTELRESOURCE_'),
    "all metrics but the exporter's own",
  ).toEqual([
    ['gen_ai.client.token.usage', 'input', inputTokens],
    ['gen_ai.client.token.usage', 'output', outputTokens],
    ['gen_ai.client.operation.duration', undefined, expect.any(Number)],
  ]);
});

test('sends no token if APPLICATIONINSIGHTS_AUTHENTICATION_STRING is not set', async () => {
  const { receiver, env } = await startApplicationInsights();
  const { app, azure } = await startBoth(env);
  await ask(app.url, await still('image/png', 8, 8));
  await app.stop();
  azure.close();
  expect(receiver.deliveries.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
});

test('if there is no identity, sends nothing without a token, logs that, and the app keeps running', async () => {
  const { receiver, env } = await startApplicationInsights();
  const azure = await startAzure();
  azure.identity.fail({ status: 400 }, Infinity);
  const app = await startApp({
    ...azure.env,
    ...env,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(503);
  await expect.poll(() => app.output(), { timeout: 10_000 }).toContain('Telemetry does not arrive');
  expect(app.alive()).toBe(true);
  await app.stop();
  azure.close();
  expect(receiver.deliveries).toEqual([]);
});

test('an invalid connection string turns telemetry off, is logged once, and requests still succeed', async () => {
  const { app, azure } = await startBoth({ APPLICATIONINSIGHTS_CONNECTION_STRING: 'nonsense' });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  await app.stop();
  azure.close();
  expect(app.output().match(/Telemetry is off/g)).toHaveLength(1);
});
