import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import * as v from 'valibot';
import { makeServerCertificate } from '../../../src/dev/emulator/entra/certificates.ts';
import { type Receiver, startReceiver } from './receiver.ts';

/** An ingestion endpoint of Application Insights, and the environment of an app that finds and trusts it. */
export interface ApplicationInsights {
  readonly receiver: Receiver;
  readonly env: Readonly<Record<string, string>>;
}

const Envelope = v.object({
  name: v.string(),
  tags: v.record(v.string(), v.string()),
  data: v.object({
    baseType: v.string(),
    baseData: v.object({
      name: v.optional(v.string()),
      id: v.optional(v.string()),
      type: v.optional(v.string()),
      success: v.optional(v.boolean()),
      properties: v.optional(v.record(v.string(), v.union([v.string(), v.number()]))),
      metrics: v.optional(v.array(v.object({ name: v.string(), value: v.number(), count: v.optional(v.number()) }))),
    }),
  }),
});
/** One item of telemetry, as the ingestion endpoint receives it. */
export interface ReceivedItem {
  readonly kind: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: v.InferOutput<typeof Envelope>['data']['baseData'];
}

/** Starts an endpoint that accepts everything, even without a token. It has TLS, because the exporter requires it. */
export async function startApplicationInsights(): Promise<ApplicationInsights> {
  const { ca, server } = await makeServerCertificate();
  const folder = await mkdtemp(join(tmpdir(), 'insights-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.pem'), ca);
  const receiver = await startReceiver(({ text }) => {
    const items = toLines(text).length;
    return { itemsReceived: items, itemsAccepted: items, errors: [] };
  }, server);
  return {
    receiver,
    env: {
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-4000-8000-000000000009;IngestionEndpoint=${receiver.url}/`,
    },
  };
}

/** All items that arrived. */
export function itemsIn({ deliveries }: Receiver): ReceivedItem[] {
  return deliveries.flatMap(({ text }) =>
    toLines(text).map((line) => {
      const { name, tags, data } = v.parse(Envelope, line);
      return { kind: name.replace('Microsoft.ApplicationInsights.', ''), tags, data: data.baseData };
    }),
  );
}

/** Reads a JSON array, or one JSON document per line. */
function toLines(text: string): unknown[] {
  const lines = text.trim().startsWith('[') ? [text] : text.trim().split('\n');
  return lines.flatMap((line) => JSON.parse(line) as unknown);
}
