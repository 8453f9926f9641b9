import { expect, test } from 'vitest';
import { still } from '../../images/still.ts';
import { startBoth } from '../app.ts';
import { ask, post } from '../ask.ts';
import { startApplicationInsights } from './application-insights.ts';
import { startCollector } from './collector.ts';

const SECRETS = [
  'marker-of-the-instructions',
  'marker-of-the-answer',
  'marker-of-the-file-name',
  'marker-of-the-system-prompt',
] as const;
const [INSTRUCTIONS, ANSWER, FILE_NAME, SYSTEM_PROMPT] = SECRETS;
const COMPLETION = {
  id: 'c',
  object: 'chat.completion',
  model: 'm',
  choices: [{ message: { content: ANSWER }, finish_reason: 'stop' }],
};

test('telemetry has no image, instructions, answer, file name, system prompt or token', async () => {
  const [collector, insights] = [await startCollector(), await startApplicationInsights()];
  const { app, azure } = await startBoth({
    ...insights.env,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    SYSTEM_PROMPT,
    UPSTREAM_MAX_RETRIES: '0',
  });
  const image = await still('image/png', 40, 30);
  const query = { instructions: INSTRUCTIONS };
  for (const fault of [
    { body: COMPLETION },
    { status: 400, body: { error: { code: 'invalid_image', message: ANSWER } } },
    { status: 500, body: ANSWER },
    { breakOff: 'mid-body' as const },
  ]) {
    azure.model.fail(fault);
    await ask(app.url, image, { query });
    azure.model.fail(fault);
    await ask(app.url, image, { query, headers: { accept: 'text/event-stream' } });
  }
  const form = new FormData();
  form.set('instructions', INSTRUCTIONS);
  form.set('image', new File([new Uint8Array(image)], `${FILE_NAME}.png`, { type: 'image/png' }));
  await post(app.url, form, {});
  await ask(app.url, Buffer.from(INSTRUCTIONS), { query });
  await ask(app.url, image, { query: { instructions: INSTRUCTIONS, detail: INSTRUCTIONS } });
  const tokens = azure.model.requests.map(({ headers }) => headers.authorization?.slice('Bearer '.length) ?? '');
  await app.stop();
  azure.close();

  const sent = [...collector.deliveries, ...insights.receiver.deliveries]
    .map(({ path, text }) => path + text)
    .join('\n');
  expect(collector.deliveries.length).toBeGreaterThanOrEqual(2);
  expect(insights.receiver.deliveries.length).toBeGreaterThanOrEqual(2);
  expect(sent, 'failures are sent, too').toContain('image_rejected');
  const pieces = [0, 1, 2].flatMap((offset) =>
    (['base64', 'hex'] as const).map((as) => image.subarray(24 + offset, 48 + offset).toString(as)),
  );
  for (const secret of [...SECRETS, ...pieces, ...new Set(tokens)]) {
    expect(secret.length).toBeGreaterThanOrEqual(20);
    expect(sent.includes(secret), `"${secret.slice(0, 40)}" was sent`).toBe(false);
  }
});
