import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Report } from '../../../infra/hooks/doctor.ts';
import { afterProvisioning } from '../../../infra/hooks/provisioned.ts';

const BRIEFLY = { seconds: 8, everySeconds: 0.1 };
const logged = vi.spyOn(console, 'log').mockImplementation(() => undefined);
beforeEach(() => void logged.mockClear());

describe('the doctor after provisioning', () => {
  const open = { MODEL_OPEN_TO_DEVELOPER: 'true' };
  const healthy: Report = { ok: true, checks: [{ name: 'model', status: 'ok' }] };
  const refused: Report = {
    ok: false,
    checks: [
      { name: 'token', status: 'ok' },
      { name: 'deployment', status: 'fail', reason: 'refused', fix: 'Wait.' },
    ],
  };
  const unset: Report = {
    ok: false,
    checks: [{ name: 'settings', status: 'fail', reason: 'no endpoint', fix: 'Set it.' }],
  };

  test('runs again until the role applies, and the reason is printed once', async () => {
    const reports = [refused, refused, healthy];
    expect(
      await afterProvisioning(open, { seconds: 5, everySeconds: 0.01 }, async () => reports.shift() ?? unset),
    ).toBe('The model answers to you.');
    expect(logged.mock.calls).toEqual([['deployment: refused\n  Wait.\n  Waiting for up to 1 minute.']]);
  });

  test('fails the provisioning with its findings if the time is up', async () => {
    await expect(afterProvisioning(open, { seconds: 0.1, everySeconds: 0.02 }, async () => refused)).rejects.toThrow(
      'deployment: refused\n  Wait.',
    );
  });

  test('does not run again if waiting cannot fix the failure', async () => {
    const examine = vi.fn<() => Promise<Report>>().mockResolvedValue(unset);
    await expect(afterProvisioning(open, BRIEFLY, examine)).rejects.toThrow('settings: no endpoint\n  Set it.');
    expect(examine).toHaveBeenCalledTimes(1);
  });

  test('does not run if this machine cannot reach the model', async () => {
    const examine = vi.fn<() => Promise<Report>>();
    expect(await afterProvisioning({ MODEL_OPEN_TO_DEVELOPER: 'false' }, BRIEFLY, examine)).toMatch(
      /^The model is closed to this machine/,
    );
    expect(examine).not.toHaveBeenCalled();
  });
});
