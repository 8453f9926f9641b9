import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Exporter } from './destinations.ts';

const PROTOCOLS = ['http/json', 'http/protobuf'] as const;

/**
 * Creates the exporter to an OTLP collector. OpenTelemetry's own variables configure address, headers and the rest:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 * @throws {Error} if a protocol variable names a protocol other than http/json and http/protobuf
 */
export function otlp(variables: Readonly<Record<string, string | undefined>>): Exporter {
  /** The variable of the signal takes precedence over the general one. Without either, the protocol is JSON. */
  const isProtobuf = (signalVariable: string): boolean => {
    const name = [signalVariable, 'OTEL_EXPORTER_OTLP_PROTOCOL'].find((each) => variables[each]?.trim());
    if (name === undefined) return false;
    const value = variables[name]?.trim();
    const protocol = PROTOCOLS.find((known) => known === value);
    if (!protocol) throw new Error(`${name} is ${value}, which is not supported: set it to ${PROTOCOLS.join(' or ')}.`);
    return protocol === 'http/protobuf';
  };
  return {
    spans: isProtobuf('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ? new ProtobufTraceExporter() : new JsonTraceExporter(),
    metrics: isProtobuf('OTEL_EXPORTER_OTLP_METRICS_PROTOCOL')
      ? new ProtobufMetricExporter()
      : new JsonMetricExporter(),
  };
}
