import { probeDeployment } from '../azure/probe.ts';
import { Deadline } from '../http/deadline.ts';
import { ok, type Report } from '../doctor/check.ts';
import { examine, type CheckTarget } from '../doctor/examine.ts';
import { problemFinding } from '../doctor/token-check.ts';
import { SettingsError } from '../config/environment.ts';
import type { Handle } from '../http/create-handler.ts';
import type { Service } from './service.ts';
import type { Settings } from '../config/settings.ts';

/** Probes come every few seconds, from several places at once; each of them need not ask Azure. */
const FRESH_MS = 5_000;
/** Before the platform's own probes give up; less where a question would have less. */
const TIMEOUT_MS = 10_000;

/** `GET /api/health/ready`: whether a question would find an identity and a deployment, at no cost; a line for each check. */
export function ready(settings: Settings | SettingsError, service: () => Promise<Service>): Handle {
  const target: CheckTarget = {
    settings,
    tokens: async () => (await service()).tokens,
    answeredBy: () => undefined,
    async deployment(known, asked, tokens, deadline) {
      try {
        await probeDeployment(known, asked, tokens, deadline);
        return ok(`${asked.deployment} is there and may be asked`);
      } catch (error) {
        return problemFinding(error);
      }
    },
  };
  let examined: { readonly at: number; readonly report: Promise<Report> } | undefined;
  return async () => {
    if (!examined || Date.now() - examined.at > FRESH_MS) examined = { at: Date.now(), report: examineOnce(target) };
    const report = await examined.report;
    return {
      status: report.ok ? 200 : 503,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(report),
    };
  };
}

async function examineOnce(target: CheckTarget): Promise<Report> {
  const { settings } = target;
  const deadline = new Deadline(
    Math.min(TIMEOUT_MS, settings instanceof SettingsError ? TIMEOUT_MS : settings.requestTimeoutMs),
  );
  try {
    return await examine(target, deadline);
  } finally {
    deadline.clear();
  }
}
