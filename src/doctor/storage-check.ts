import type { Settings } from '../config/settings.ts';
import type { Deadline } from '../http/deadline.ts';
import type { Storage } from '../storage/account.ts';
import { type Finding, ok } from './check.ts';
import { problemFinding } from './token-check.ts';

/** Makes the check of the containers and the queue in the settings. Returns undefined if the settings name none. */
export function storageCheck(
  settings: Settings,
  storage: () => Promise<Storage>,
): ((deadline: Deadline) => Promise<Finding>) | undefined {
  if (settings.imageContainers.length === 0 && !settings.jobs) return undefined;
  return async (deadline) => {
    try {
      const { probeStorage } = await import('../storage/probe.ts');
      return ok(`${await probeStorage(await storage(), settings, deadline)} may be used`);
    } catch (error) {
      return problemFinding(error);
    }
  };
}
