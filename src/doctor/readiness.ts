import { probeDeployment } from '../azure/probe.ts';
import type { TokenSource } from '../azure/token-source.ts';
import type { Settings } from '../config/settings.ts';
import { Deadline } from '../http/deadline.ts';
import { fail, ok, type Report } from './check.ts';
import { type CheckTarget, examine } from './examine.ts';
import { problemFinding } from './token-check.ts';

/** Milliseconds a report is kept. Probes come every few seconds, from several places at once; each need not ask Azure. */
const FRESH_MS = 5_000;
/** Before the platform's own probes give up. */
const TIMEOUT_MS = 10_000;

/** What is reported once the process has been told to end. */
export const ENDING: Report = {
  ok: false,
  checks: [
    { name: 'node', ...fail('This process is ending and takes no new work.', 'Ask again: another instance answers.') },
  ],
};

/**
 * Makes the checks of whether a question would find an identity, a deployment and its storage. They cost nothing.
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
        return ok(`${asked.deployment} is there and may be asked`);
      } catch (error) {
        return problemFinding(error);
      }
    },
    storage,
  };
  let examined: { readonly at: number; readonly report: Promise<Report> } | undefined;
  return async () => {
    // A report in the making outlives the request that began it, so it has a deadline of its own.
    if (!examined || Date.now() - examined.at > FRESH_MS)
      examined = { at: Date.now(), report: examineWithin(timeoutMs, target) };
    return examined.report;
  };
}

async function examineWithin(milliseconds: number, target: CheckTarget): Promise<Report> {
  const deadline = new Deadline(milliseconds);
  try {
    return await examine(target, deadline);
  } finally {
    deadline.clear();
  }
}
