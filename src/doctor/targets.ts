import type { Settings, Target } from '../config/settings.ts';
import type { Finding } from './check.ts';

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
