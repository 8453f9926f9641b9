import { Environment } from '../config/environment.ts';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Where telemetry goes. The settings are the platform's own, so that the Functions host sends to the same place. */
export interface Destinations {
  /** The connection string of Application Insights. */
  readonly connectionString: string | undefined;
  /** Whether to sign in to Application Insights with an Entra identity. */
  readonly signsIn: boolean;
  /** Whether to send to an OTLP collector. Its exporters read OpenTelemetry's own variables. */
  readonly otlp: boolean;
}

/** Reads the destinations from the environment. Returns undefined if none is set, so that no telemetry is loaded. */
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

/** Sends spans and metrics to one destination. */
export interface Exporter {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
}
