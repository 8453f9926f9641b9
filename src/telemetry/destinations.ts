import { Environment } from '../config/environment.ts';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Where telemetry goes: the platform's own settings, so that the host sends its part to the same place. */
export interface Destinations {
  /** Of Application Insights. */
  readonly connectionString: string | undefined;
  /** Whether Application Insights is told who sends. */
  readonly signsIn: boolean;
  /** Whether there is a collector that speaks OTLP; its exporters read OpenTelemetry's own variables. */
  readonly otlp: boolean;
}

/** The destinations that are set; undefined where there is none, and so nothing to load. */
export function readDestinations(variables: Readonly<Record<string, string | undefined>>): Destinations | undefined {
  const environment = new Environment(variables);
  const connectionString = environment.text('APPLICATIONINSIGHTS_CONNECTION_STRING');
  const otlp = environment.text('OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined;
  if (!connectionString && !otlp) return undefined;
  const signsIn = /(?:^|;)\s*Authorization\s*=\s*AAD\s*(?:;|$)/i.test(
    environment.text('APPLICATIONINSIGHTS_AUTHENTICATION_STRING') ?? '',
  );
  return { connectionString, signsIn, otlp };
}

/** What sends to one destination. */
export interface Exporter {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
}
