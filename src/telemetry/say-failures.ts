/** A destination that is down fails every few seconds; one line of that is enough. */
const SILENCE_MS = 10 * 60_000;

/** Says that telemetry does not arrive, seldom, and nothing of what was in it. */
export function sayFailures(warn: (line: string) => void): (error: unknown) => void {
  let silentUntil = 0;
  return (error) => {
    if (Date.now() < silentUntil) return;
    silentUntil = Date.now() + SILENCE_MS;
    warn(
      `Telemetry does not arrive (${error instanceof Error ? error.name : 'unknown'}). Requests are served all the same. ` +
        "Check APPLICATIONINSIGHTS_CONNECTION_STRING and OTEL_EXPORTER_OTLP_ENDPOINT; for Application Insights, the app's identity needs " +
        "the role 'Monitoring Metrics Publisher' there.",
    );
  };
}
