import * as v from 'valibot';
import { type Receiver, startReceiver } from './receiver.ts';

/** A received span. */
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

/** One series of a histogram, as received last. */
export interface ReceivedHistogram {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
}

/** One series of a counter, as received last. */
export interface ReceivedCounter {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
}

const Value = v.object({
  stringValue: v.optional(v.string()),
  intValue: v.optional(v.union([v.string(), v.number()])),
  doubleValue: v.optional(v.number()),
  arrayValue: v.optional(v.object({ values: v.array(v.object({ stringValue: v.string() })) })),
});
const Attributes = v.array(v.object({ key: v.string(), value: Value }));
const Traces = v.object({
  resourceSpans: v.array(
    v.object({
      resource: v.object({ attributes: Attributes }),
      scopeSpans: v.array(
        v.object({
          spans: v.array(
            v.object({
              traceId: v.string(),
              spanId: v.string(),
              parentSpanId: v.optional(v.string()),
              name: v.string(),
              kind: v.number(),
              startTimeUnixNano: v.string(),
              endTimeUnixNano: v.string(),
              attributes: Attributes,
              status: v.object({ code: v.number() }),
            }),
          ),
        }),
      ),
    }),
  ),
});
const Metrics = v.object({
  resourceMetrics: v.array(
    v.object({
      scopeMetrics: v.array(
        v.object({
          metrics: v.array(
            v.object({
              name: v.string(),
              unit: v.string(),
              histogram: v.optional(
                v.object({
                  dataPoints: v.array(
                    v.object({
                      attributes: Attributes,
                      count: v.union([v.string(), v.number()]),
                      sum: v.number(),
                      explicitBounds: v.array(v.number()),
                    }),
                  ),
                }),
              ),
              sum: v.optional(
                v.object({
                  dataPoints: v.array(
                    v.object({
                      attributes: Attributes,
                      asDouble: v.optional(v.number()),
                      asInt: v.optional(v.union([v.string(), v.number()])),
                    }),
                  ),
                }),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Starts a collector for OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/ */
export async function startCollector(): Promise<Receiver> {
  return startReceiver(() => ({}));
}

/** The received spans, in the order of their start. */
export function spansIn({ deliveries }: Receiver): ReceivedSpan[] {
  const documents = deliveries
    .filter(({ path }) => path === '/v1/traces')
    .map(({ text }) => v.parse(Traces, JSON.parse(text)));
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

/** The resource of the spans that were received first. */
export function resourceIn({ deliveries }: Receiver): Record<string, unknown> {
  const [first] = deliveries
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ text }) => v.parse(Traces, JSON.parse(text)).resourceSpans);
  return toRecord(first?.resource.attributes ?? []);
}

/** The histograms of the last delivery: each delivery has everything that was recorded since the start. */
export function histogramsIn(receiver: Receiver): ReceivedHistogram[] {
  return metricsIn(receiver).flatMap(({ name, unit, histogram }) =>
    (histogram?.dataPoints ?? []).map(({ attributes, count, sum, explicitBounds }) => ({
      name,
      unit,
      attributes: toRecord(attributes),
      count: Number(count),
      sum,
      bounds: explicitBounds,
    })),
  );
}

/** The counters of the last delivery. */
export function countersIn(receiver: Receiver): ReceivedCounter[] {
  return metricsIn(receiver).flatMap(({ name, unit, sum }) =>
    (sum?.dataPoints ?? []).map(({ attributes, asInt, asDouble }) => ({
      name,
      unit,
      attributes: toRecord(attributes),
      count: Number(asInt ?? asDouble),
    })),
  );
}

function metricsIn({ deliveries }: Receiver) {
  const last = deliveries.findLast(({ path }) => path === '/v1/metrics');
  if (!last) return [];
  return v
    .parse(Metrics, JSON.parse(last.text))
    .resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
}

function toRecord(attributes: v.InferOutput<typeof Attributes>): Record<string, unknown> {
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
