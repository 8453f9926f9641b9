import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Exporter } from './exporter.ts';

/** To a collector, as OTLP/HTTP with JSON; address, headers and the rest are OpenTelemetry's own variables. */
export function otlp(): Exporter {
  return { spans: new OTLPTraceExporter(), metrics: new OTLPMetricExporter() };
}
