import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Exporter } from './destinations.ts';

const PROTOCOLS = ['http/json', 'http/protobuf'] as const;

/**
 * Sends to a collector over OTLP. The address, the headers and the rest are OpenTelemetry's own variables:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 * @throws {Error} if a protocol variable names another protocol than the two over HTTP
 */
export function otlp(variables: Readonly<Record<string, string | undefined>>): Exporter {
  /** The variable of the signal goes before the general one. Without either it is JSON. */
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
