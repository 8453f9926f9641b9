import type { TokenCredential } from '@azure/identity';
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import type { Exporter } from './destinations.ts';

/** The exporter counts itself and tells its makers, unless this is set: nobody asked for that. */
const NO_STATISTICS = 'APPLICATION_INSIGHTS_NO_STATSBEAT';

/**
 * To Application Insights, signed by an identity, or unsigned without one.
 * @throws where the connection string is none
 */
export function azureMonitor(connectionString: string, credential: TokenCredential | undefined): Exporter {
  process.env[NO_STATISTICS] ??= 'true';
  const options = {
    connectionString,
    // What cannot be sent is not written to this machine's disk.
    disableOfflineStorage: true,
    ...(credential ? { credential } : {}),
  };
  return { spans: new AzureMonitorTraceExporter(options), metrics: new AzureMonitorMetricExporter(options) };
}
