import { randomUUID } from 'node:crypto';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Settings } from '../config/settings.ts';
import { version } from '../config/version.ts';
import type { Destinations, Exporter } from './destinations.ts';
import { chatsOf } from './gen-ai.ts';
import { GenAiMetrics, JobMetrics } from './metrics.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';
import { recordSpans } from './spans.ts';

const NAME = 'keyless-vision';

/** Turns answered requests into spans and metrics, and sends them in the background. */
export interface Recorder {
  record(report: AnsweredRequest): void;
  /** Sends what is not sent yet. Do not record anything afterwards. */
  end(): Promise<void>;
}

/**
 * Starts to send telemetry. OpenTelemetry's own variables configure how traces are sampled and how often they are sent.
 * By default, a request is traced if the host's span is sampled.
 * @param warn - writes a line to the log
 * @throws {Error} if the setting of a destination is not valid
 */
export async function startRecorder(
  destinations: Destinations,
  signIn: Pick<Settings, 'auth' | 'authorityHost'>,
  warn: (line: string) => void,
): Promise<Recorder> {
  setGlobalErrorHandler(sayFailures(warn));
  const exporters = await createExporters(destinations, signIn);
  const resource = describeProcess();
  const traces = new BasicTracerProvider({
    resource,
    spanProcessors: exporters.map(({ spans }) => new BatchSpanProcessor(spans)),
  });
  const meters = new MeterProvider({
    resource,
    readers: exporters.map(({ metrics }) => new PeriodicExportingMetricReader({ exporter: metrics })),
  });
  const tracer = traces.getTracer(NAME, version);
  const meter = meters.getMeter(NAME, version);
  const metrics = new GenAiMetrics(meter);
  const jobs = new JobMetrics(meter);
  return {
    record(report) {
      const chats = chatsOf(report);
      recordSpans(tracer, report, chats);
      metrics.record(chats);
      jobs.record(report);
    },
    async end() {
      await Promise.allSettled([traces.shutdown(), meters.shutdown()]);
    },
  };
}

async function createExporters(
  { connectionString, signsIn, otlp }: Destinations,
  signIn: Pick<Settings, 'auth' | 'authorityHost'>,
): Promise<Exporter[]> {
  const exporters: Exporter[] = [];
  if (connectionString) {
    const [{ azureMonitor }, { createCredential }] = await Promise.all([
      import('./azure-monitor.ts'),
      import('../azure/identity.ts'),
    ]);
    exporters.push(azureMonitor(connectionString, signsIn ? createCredential(signIn, process.env) : undefined));
  }
  if (otlp) exporters.push((await import('./otlp.ts')).otlp(process.env));
  return exporters;
}

/** Uses the site's name as the host does, so that the application map shows both as one. */
function describeProcess(): Resource {
  const own = resourceFromAttributes({
    'service.name': process.env['WEBSITE_SITE_NAME'] ?? NAME,
    'service.version': version,
    'service.instance.id': randomUUID(),
  });
  return own.merge(detectResources({ detectors: [envDetector] }));
}

/** Milliseconds between two warnings. A destination that is down fails every few seconds. */
const SILENCE_MS = 10 * 60_000;

/**
 * Creates an error handler that warns at most once in 10 minutes that telemetry does not arrive. The warning has only
 * the error's name, because its message may have content.
 */
export function sayFailures(warn: (line: string) => void): (error: unknown) => void {
  let silentUntil = 0;
  return (error) => {
    if (Date.now() < silentUntil) return;
    silentUntil = Date.now() + SILENCE_MS;
    warn(
      `Telemetry does not arrive (${error instanceof Error ? error.name : 'unknown'}). Requests are still answered. ` +
        'Check APPLICATIONINSIGHTS_CONNECTION_STRING and OTEL_EXPORTER_OTLP_ENDPOINT; for Application ' +
        "Insights, the app's identity needs " +
        "the role 'Monitoring Metrics Publisher' there.",
    );
  };
}
