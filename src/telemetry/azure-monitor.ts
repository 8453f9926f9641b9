import type { TokenCredential } from '@azure/identity';
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import type { Exporter } from './destinations.ts';

/** Unless this variable is set, the exporter sends statistics about itself to Microsoft. */
const NO_STATISTICS = 'APPLICATION_INSIGHTS_NO_STATSBEAT';

/**
 * Creates the exporter to Application Insights. It signs in with the credential, if there is one.
 * @throws {Error} if the connection string is not valid
 */
export function azureMonitor(connectionString: string, credential: TokenCredential | undefined): Exporter {
  process.env[NO_STATISTICS] ??= 'true';
  const options = {
    connectionString,
    // Do not write telemetry to the disk if it cannot be sent.
    disableOfflineStorage: true,
    ...(credential ? { credential } : {}),
  };
  return { spans: new AzureMonitorTraceExporter(options), metrics: new AzureMonitorMetricExporter(options) };
}
