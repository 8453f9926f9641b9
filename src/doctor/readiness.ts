import { probeDeployment } from '../azure/probe.ts';
import type { TokenSource } from '../azure/token-source.ts';
import type { Settings } from '../config/settings.ts';
import { Deadline } from '../http/deadline.ts';
import { fail, ok, type Report } from './check.ts';
import { type CheckTarget, runChecks } from './run-checks.ts';
import { problemFinding } from './token-check.ts';

/** How long a report is reused. Several probes call every few seconds, and not every call should ask Azure. */
const FRESH_MS = 5_000;
/** Must end before the platform's probes give up. */
const TIMEOUT_MS = 10_000;

/** The report of a process that is shutting down. */
export const ENDING: Report = {
  ok: false,
  checks: [{ name: 'node', ...fail('This process is shutting down.', 'Try again: another instance answers.') }],
};

/**
 * Makes a function that checks whether the app can get a token and reach its deployments and storage. The checks use no
 * tokens of the model. Concurrent and quick successive calls share a report.
 */
export function readiness(
  settings: Settings,
  tokens: TokenSource | undefined,
  storage: CheckTarget['storage'],
): () => Promise<Report> {
  const timeoutMs = Math.min(TIMEOUT_MS, settings.requestTimeoutMs);
  const target: CheckTarget = {
    settings,
    tokens,
    answeredBy: () => undefined,
    async deployment(asked, deadline) {
      try {
        await probeDeployment(settings, asked, tokens, deadline);
        return ok(`${asked.deployment} exists and this identity may use it`);
      } catch (error) {
        return problemFinding(error);
      }
    },
    storage,
  };
  let last: { readonly at: number; readonly report: Promise<Report> } | undefined;
  return async () => {
    // Several requests may wait for one report, so it has its own deadline and does not end with the first of them.
    if (!last || Date.now() - last.at > FRESH_MS) last = { at: Date.now(), report: runChecksWithin(timeoutMs, target) };
    return last.report;
  };
}

async function runChecksWithin(milliseconds: number, target: CheckTarget): Promise<Report> {
  const deadline = new Deadline(milliseconds);
  try {
    return await runChecks(target, deadline);
  } finally {
    deadline.clear();
  }
}
