import type { TokenSource } from '../azure/token-source.ts';
import type { Deadline } from '../http/deadline.ts';
import { SettingsError } from '../config/environment.ts';
import type { Settings, Target } from '../config/settings.ts';
import { type Check, type CheckName, fail, type Finding, type Report, skip } from './check.ts';
import { checkEndpoint } from './endpoint-check.ts';
import { checkNode } from './node-check.ts';
import { checkSettings, endpointFault } from './settings-check.ts';
import { checkTargets } from './targets.ts';
import { checkToken } from './token-check.ts';

/** What is examined, and how far. */
export interface CheckTarget {
  readonly settings: Settings | SettingsError;
  /** Called where the settings allow it. */
  readonly tokens: (settings: Settings) => Promise<TokenSource | undefined>;
  readonly answeredBy: () => string | undefined;
  readonly deployment: (
    settings: Settings,
    target: Target,
    tokens: TokenSource | undefined,
    deadline: Deadline,
  ) => Promise<Finding>;
  /** Only where it is asked for. */
  readonly model?: (settings: Settings, tokens: TokenSource | undefined) => Promise<Finding>;
}

/** Checks from the ground up; what stands on a check that failed is skipped, so that one fault is told once. */
export async function examine(
  { settings, tokens, answeredBy, deployment, model }: CheckTarget,
  deadline: Deadline,
): Promise<Report> {
  const checks: Check[] = [];
  const add = (name: CheckName, finding: Finding): void => void checks.push({ name, ...finding });
  const standsOn = (...names: CheckName[]): CheckName | undefined =>
    checks.find(({ name, status }) => names.includes(name) && status === 'fail')?.name;

  add('node', checkNode(process.versions.node));
  add('settings', checkSettings(settings));
  if (settings instanceof SettingsError) {
    const malformed = endpointFault(settings);
    add('endpoint', malformed ? fail(malformed, 'set it as it says') : skip('settings failed'));
    const first = standsOn('settings', 'endpoint');
    for (const name of ['token', 'deployment', ...(model ? (['model'] as const) : [])] as const)
      add(name, skip(`${first} failed`));
    return report(checks);
  }

  add('endpoint', await checkTargets(settings, checkEndpoint));
  const source = await tokens(settings);
  add('token', await checkToken(source, deadline, answeredBy));
  const broken = standsOn('endpoint', 'token');
  add(
    'deployment',
    broken
      ? skip(`${broken} failed`)
      : await checkTargets(settings, async (target) => deployment(settings, target, source, deadline)),
  );
  const brokenToo = standsOn('endpoint', 'token', 'deployment');
  if (model) add('model', brokenToo ? skip(`${brokenToo} failed`) : await model(settings, source));
  return report(checks);
}

function report(checks: readonly Check[]): Report {
  return { ok: checks.every(({ status }) => status !== 'fail'), checks };
}
