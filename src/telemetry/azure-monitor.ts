import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import { createCredential } from '../azure/credential.ts';
import type { Settings } from '../settings.ts';
import type { Exporter } from './exporter.ts';

/** The exporter counts itself and tells its makers, unless this is set: nobody asked for that. */
const NO_STATISTICS = 'APPLICATION_INSIGHTS_NO_STATSBEAT';

/**
 * To Application Insights, as the identity that the model is called with, or unsigned where that is not asked for.
 * @throws where the connection string is none
 */
export function azureMonitor(connectionString: string, signIn: Pick<Settings, 'auth' | 'authorityHost'> | undefined): Exporter {
  process.env[NO_STATISTICS] ??= 'true';
  const options = {
    connectionString,
    // What cannot be sent is not written to this machine's disk.
    disableOfflineStorage: true,
    ...(signIn ? { credential: createCredential(signIn, process.env) } : {}),
  };
  return { spans: new AzureMonitorTraceExporter(options), metrics: new AzureMonitorMetricExporter(options) };
}
