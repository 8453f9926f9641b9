import { expect, test } from 'vitest';
import { still } from '../../images/still.ts';
import { some } from '../../tier.ts';
import { startBoth } from '../app.ts';
import { ask } from '../ask.ts';
import { startReceiver } from './receiver.ts';

const SAMPLED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const [JSON_TYPE, PROTOBUF_TYPE] = ['application/json', 'application/x-protobuf'];

/** Sends one request to an app, and returns the content type that the collector received on each path. */
async function sentTypes(
  env: Record<string, string>,
): Promise<{ types: Record<string, string>; text: string; log: string }> {
  const collector = await startReceiver(() => ({}));
  const { app, azure } = await startBoth({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env });
  expect((await ask(app.url, await still('image/png', 8, 8), { headers: SAMPLED })).status).toBe(200);
  await app.stop();
  azure.close();
  const types = Object.fromEntries(collector.deliveries.map(({ path, contentType = '' }) => [path, contentType]));
  return { types, text: collector.deliveries.map(({ text }) => text).join(''), log: app.output() };
}

const PROTOCOLS: readonly (readonly [set: string, env: Record<string, string>, traces: string, metrics: string])[] = [
  ['not set', {}, JSON_TYPE, JSON_TYPE],
  ['http/json', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, JSON_TYPE, JSON_TYPE],
  ['http/protobuf', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, PROTOBUF_TYPE, PROTOBUF_TYPE],
  ['another one for traces', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, PROTOBUF_TYPE, JSON_TYPE],
  [
    'another one for metrics',
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' },
    PROTOBUF_TYPE,
    JSON_TYPE,
  ],
];

test.each(some(PROTOCOLS, 2))(
  'uses the protocol of OTEL_EXPORTER_OTLP_PROTOCOL: %s',
  async (_, env, traces, metrics) => {
    const { types, text } = await sentTypes(env);
    expect(types).toEqual({ '/v1/traces': traces, '/v1/metrics': metrics });
    // Protobuf has strings in plain text.
    expect(text).toContain('processImage');
    expect(text).toContain('gen_ai.client.token.usage');
  },
);

test.each([
  { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
  { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/xml' },
])('with %j, telemetry is off, the log names the variable, and requests succeed', async (env) => {
  const { types, log } = await sentTypes(env);
  const [[name, value] = []] = Object.entries(env);
  expect(types).toEqual({});
  expect(log).toContain(
    `Telemetry is off: ${name} is ${value}, which is not supported: set it to http/json or http/protobuf.`,
  );
});
