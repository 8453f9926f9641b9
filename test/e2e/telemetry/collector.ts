import * as z from 'zod';
import { type Receiver, startReceiver } from './receiver.ts';

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly ids: { readonly trace: string; readonly span: string; readonly parent: string | undefined };
  readonly name: string;
  readonly kind: number;
  readonly milliseconds: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** One series of a histogram as it arrived last. */
export interface ReceivedHistogram {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
}

const Value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.number().optional(),
  arrayValue: z.object({ values: z.array(z.object({ stringValue: z.string() })) }).optional(),
});
const Attributes = z.array(z.object({ key: z.string(), value: Value }));
const Traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.number(),
              startTimeUnixNano: z.string(),
              endTimeUnixNano: z.string(),
              attributes: Attributes,
              status: z.object({ code: z.number() }),
            }),
          ),
        }),
      ),
    }),
  ),
});
const Metrics = z.object({
  resourceMetrics: z.array(
    z.object({
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(
            z.object({
              name: z.string(),
              unit: z.string(),
              histogram: z.object({
                dataPoints: z.array(
                  z.object({
                    attributes: Attributes,
                    count: z.union([z.string(), z.number()]),
                    sum: z.number(),
                    explicitBounds: z.array(z.number()),
                  }),
                ),
              }),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A collector that speaks OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/ */
export async function startCollector(): Promise<Receiver> {
  return startReceiver(() => ({}));
}

/** The spans that arrived, in the order of their start. */
export function spansIn({ deliveries }: Receiver): ReceivedSpan[] {
  const documents = deliveries
    .filter(({ path }) => path === '/v1/traces')
    .map(({ text }) => Traces.parse(JSON.parse(text)));
  const spans = documents.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
  );
  return spans
    .map(({ traceId, spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, attributes, status }) => {
      const [start, end] = [BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)];
      const ids = { trace: traceId, span: spanId, parent: parentSpanId };
      return {
        ids,
        name,
        kind,
        start,
        end,
        milliseconds: Number(end - start) / 1e6,
        attributes: toRecord(attributes),
        failed: status.code === 2,
      };
    })
    .toSorted((a, b) => Number(a.start - b.start));
}

/** The resource of the first spans that arrived. */
export function resourceIn({ deliveries }: Receiver): Record<string, unknown> {
  const [first] = deliveries
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ text }) => Traces.parse(JSON.parse(text)).resourceSpans);
  return toRecord(first?.resource.attributes ?? []);
}

/** The histograms as they arrived last: each delivery tells of all that was recorded since the start. */
export function histogramsIn({ deliveries }: Receiver): ReceivedHistogram[] {
  const last = deliveries.findLast(({ path }) => path === '/v1/metrics');
  if (!last) return [];
  const metrics = Metrics.parse(JSON.parse(last.text)).resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap((scope) => scope.metrics),
  );
  return metrics.flatMap(({ name, unit, histogram }) =>
    histogram.dataPoints.map(({ attributes, count, sum, explicitBounds }) => ({
      name,
      unit,
      attributes: toRecord(attributes),
      count: Number(count),
      sum,
      bounds: explicitBounds,
    })),
  );
}

function toRecord(attributes: z.infer<typeof Attributes>): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined
          ? (value.doubleValue ?? value.arrayValue?.values.map((each) => each.stringValue))
          : Number(value.intValue)),
    ]),
  );
}
