import type { TokenSource } from '../azure/token-source.ts';
import type { SettingsError } from '../config/environment.ts';
import type { Settings, Target } from '../config/settings.ts';
import type { Deadline } from '../http/deadline.ts';
import { type Check, type CheckName, fail, type Finding, type Report, skip } from './check.ts';
import { checkEndpoint } from './endpoint-check.ts';
import { checkNode } from './node-check.ts';
import { checkFaults, checkNotes, endpointFault } from './settings-check.ts';
import { checkToken } from './token-check.ts';

/** What to check. */
export interface CheckTarget {
  readonly settings: Settings;
  /** Undefined if the app signs in with a key. */
  readonly tokens: TokenSource | undefined;
  /** Returns the name of the credential that gave the token, if it is known. */
  readonly answeredBy: () => string | undefined;
  readonly deployment: (target: Target, deadline: Deadline) => Promise<Finding>;
  /** Undefined if the settings name neither image containers nor jobs. */
  readonly storage?: ((deadline: Deadline) => Promise<Finding>) | undefined;
  /** Asks the model once, which costs tokens. Undefined to leave this check out. */
  readonly model?: () => Promise<Finding>;
}

/** If one of these fails, the checks after it still run. */
const STANDS_ALONE: ReadonlySet<CheckName> = new Set(['node', 'storage']);

/** Runs the checks in order. It skips those that depend on a failed one, so that each fault is reported only once. */
export async function runChecks(
  { settings, tokens, answeredBy, deployment, storage, model }: CheckTarget,
  deadline: Deadline,
): Promise<Report> {
  const checks: Check[] = [
    { name: 'node', ...checkNode(process.versions.node) },
    { name: 'settings', ...checkNotes(settings) },
    { name: 'endpoint', ...(await checkTargets(settings, checkEndpoint)) },
    { name: 'token', ...(await checkToken(tokens, deadline, answeredBy)) },
  ];
  const unlessBroken = async (name: CheckName, check: () => Promise<Finding>): Promise<void> => {
    const broken = checks.find((each) => !STANDS_ALONE.has(each.name) && each.status === 'fail');
    checks.push({ name, ...(broken ? skip(`${broken.name} failed`) : await check()) });
  };
  if (storage) await unlessBroken('storage', async () => storage(deadline));
  await unlessBroken('deployment', async () => checkTargets(settings, async (target) => deployment(target, deadline)));
  if (model) await unlessBroken('model', model);
  return reportOf(checks);
}

/** Makes the report for invalid settings. All checks in `names` are skipped, because they need the settings. */
export function reportFaults(error: SettingsError, names: readonly CheckName[]): Report {
  const malformed = endpointFault(error);
  const settings = checkFaults(error);
  const broken = settings.status === 'fail' ? 'settings' : 'endpoint';
  return reportOf([
    { name: 'node', ...checkNode(process.versions.node) },
    { name: 'settings', ...settings },
    { name: 'endpoint', ...(malformed ? fail(malformed, 'set it to a valid endpoint') : skip('settings failed')) },
    ...names.map((name) => ({ name, ...skip(`${broken} failed`) })),
  ]);
}

function reportOf(checks: readonly Check[]): Report {
  return { ok: checks.every(({ status }) => status !== 'fail'), checks };
}

/** Checks both deployments. One of them is enough for the app, so if only one fails, the finding is a warning. */
export async function checkTargets(settings: Settings, check: (target: Target) => Promise<Finding>): Promise<Finding> {
  const { endpoint, deployment, second } = settings;
  const findings = await Promise.all([{ endpoint, deployment }, ...(second ? [second] : [])].map(check));
  const failed = findings.filter(({ status }) => status === 'fail');
  const [worst] = failed;
  return {
    status: !worst ? 'ok' : failed.length < findings.length ? 'warn' : 'fail',
    reason: findings.map(({ reason }) => reason).join('; '),
    fix: worst?.fix ?? null,
  };
}
