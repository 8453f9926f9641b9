import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** What sends to one destination. */
export interface Exporter {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
}
