import { expect, test } from 'vitest';
import { startStorage } from '../../../src/dev/emulator/storage.ts';
import { startBoth } from '../app.ts';
import { lookAtJob, putImages } from '../job.ts';
import { countersIn, histogramsIn, spansIn, startCollector } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const HOST_SPAN = 'b7ad6b7169203331';
const INSTRUCTIONS = 'marker-of-the-instructions';
const FLEX = { 'openai.request.service_tier': 'flex', 'openai.response.service_tier': 'flex' };

test('a job makes a span for each image in the trace of its request, and metrics, without any content', async () => {
  const [collector, storage] = await Promise.all([startCollector(), startStorage()]);
  await storage.ready;
  const { app, azure } = await startBoth({
    ...storage.env,
    NODE_EXTRA_CA_CERTS: storage.caFile,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  await putImages(storage.images, 'marker-of-the-name', 3);
  await storage.images.getBlockBlobClient('marker-of-the-name/x.png').uploadData(Buffer.from('no image'));
  azure.model.fail({ status: 429, headers: { 'retry-after': '1' } });
  const started = await fetch(`${app.url}/api/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${TRACE}-${HOST_SPAN}-01` },
    body: JSON.stringify({
      source: `${storage.images.url}/marker-of-the-name/`,
      instructions: INSTRUCTIONS,
      tier: 'flex',
    }),
  });
  const { id } = (await started.json()) as { id: string };
  await expect
    .poll(async () => lookAtJob(app.url, id), { timeout: 60_000, interval: 200 })
    .toMatchObject({ status: 'done', answered: 3, failed: 1 });
  await app.stop();
  azure.close();
  await storage.close();

  const spans = spansIn(collector).filter(({ ids }) => ids.trace === TRACE);
  const ofJob = { 'keyless_vision.job.id': id, 'faas.invocation_id': expect.any(String) };
  expect(spans.filter(({ name }) => name === 'listJobImages')).toEqual([
    expect.objectContaining({ ids: expect.objectContaining({ parent: HOST_SPAN }), attributes: ofJob, failed: false }),
  ]);
  const images = spans.filter(({ name }) => name === 'askJobImage');
  expect(images.map(({ ids }) => ids.parent)).toEqual(images.map(() => HOST_SPAN));
  const outcomes = Map.groupBy(images, ({ attributes }) => attributes['keyless_vision.job.outcome']);
  expect(outcomes.get('answered')?.map(({ attributes }) => attributes)).toEqual(
    Array.from({ length: 3 }, () => ({ ...ofJob, 'keyless_vision.job.outcome': 'answered' })),
  );
  expect(outcomes.get('failed')).toMatchObject([
    { failed: true, attributes: { 'error.type': 'unsupported_image_type' } },
  ]);
  // The model answers 429 for one image, and others may be postponed until its pause has ended.
  expect(outcomes.get('postponed')?.map(({ attributes }) => attributes['error.type'])).toContain('rate_limited');
  expect(outcomes.get('postponed')?.filter(({ failed }) => failed)).toEqual([]);

  const chats = spans.filter(({ name }) => name === 'chat gpt-vision');
  expect(chats).toHaveLength(4);
  for (const { failed, attributes } of chats)
    expect(attributes).toMatchObject(
      failed ? { 'openai.request.service_tier': 'flex', 'error.type': 'rate_limited' } : FLEX,
    );
  const tokens = histogramsIn(collector).filter(({ name }) => name === 'gen_ai.client.token.usage');
  expect(tokens.map(({ attributes, count }) => ({ count, tier: attributes['openai.response.service_tier'] }))).toEqual([
    { count: 3, tier: 'flex' },
    { count: 3, tier: 'flex' },
  ]);
  const counted = countersIn(collector).filter(
    ({ name, unit }) => name === 'keyless_vision.job.images' && unit === '{image}',
  );
  const byOutcome = Object.fromEntries(counted.map(({ attributes, count }) => [attributes['outcome'], count]));
  expect(byOutcome).toEqual({ answered: 3, failed: 1, postponed: outcomes.get('postponed')?.length });

  const lines = app
    .output()
    .split('\n')
    .filter((line) => line.includes('"outcome":"answered"'));
  expect(lines).toHaveLength(3);
  const shown = app.output() + collector.deliveries.map(({ text }) => text).join('\n');
  expect(shown).not.toContain('marker-of');
});
