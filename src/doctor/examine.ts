import type { TokenSource } from '../azure/token-source.ts';
import type { SettingsError } from '../config/environment.ts';
import type { Settings, Target } from '../config/settings.ts';
import type { Deadline } from '../http/deadline.ts';
import { type Check, type CheckName, fail, type Finding, type Report, skip } from './check.ts';
import { checkEndpoint } from './endpoint-check.ts';
import { checkNode } from './node-check.ts';
import { checkFaults, checkNotes, endpointFault } from './settings-check.ts';
import { checkToken } from './token-check.ts';

/** What is examined, and how far. */
export interface CheckTarget {
  readonly settings: Settings;
  /** Undefined if a key stands in for it. */
  readonly tokens: TokenSource | undefined;
  /** The credential that gave the token, if it is known. */
  readonly answeredBy: () => string | undefined;
  readonly deployment: (target: Target, deadline: Deadline) => Promise<Finding>;
  /** Only if there are containers to read, or jobs. */
  readonly storage?: ((deadline: Deadline) => Promise<Finding>) | undefined;
  /** Only if it is asked for. */
  readonly model?: () => Promise<Finding>;
}

/** No other check stands on these. */
const STANDS_ALONE: ReadonlySet<CheckName> = new Set(['node', 'storage']);

/** Runs the checks from the ground up. A check that stands on a failed one is skipped, so that one fault is told once. */
export async function examine(
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

/** The same report if the settings are wrong, so that nothing else can be checked. */
export function reportFaults(error: SettingsError, names: readonly CheckName[]): Report {
  const malformed = endpointFault(error);
  const settings = checkFaults(error);
  const broken = settings.status === 'fail' ? 'settings' : 'endpoint';
  return reportOf([
    { name: 'node', ...checkNode(process.versions.node) },
    { name: 'settings', ...settings },
    { name: 'endpoint', ...(malformed ? fail(malformed, 'set it as it says') : skip('settings failed')) },
    ...names.map((name) => ({ name, ...skip(`${broken} failed`) })),
  ]);
}

function reportOf(checks: readonly Check[]): Report {
  return { ok: checks.every(({ status }) => status !== 'fail'), checks };
}

/** Checks each deployment that may be asked. One that works is enough for the app to work, so that another's failure is a warning. */
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
