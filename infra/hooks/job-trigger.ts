import { type Patience, withPatience } from './patience.ts';
import { askResourceManager, type ResourceManager } from './resource-manager.ts';

/** The function that src/functions/register.ts registers where JOBS_WORKER is on. */
const FUNCTION = 'jobs';

/**
 * Waits until the second app has its queue trigger. Without the host's extension for storage queues an app answers over
 * HTTP as ever, and only this function is missing.
 * @param app - resource id of the second app
 * @throws {Error} when it has none within the time
 */
export async function waitForTrigger(manager: ResourceManager, app: string, patience: Patience): Promise<void> {
  await withPatience(patience, async () => {
    const { status } = await askResourceManager(manager, 'GET', `${app}/functions/${FUNCTION}`);
    if (status === 200) return { done: undefined };
    return {
      waitFor:
        status === 404
          ? 'The second app has no queue trigger. If it stays so, read its log: infra/README.md, "When a deployment fails".'
          : `Azure answered ${status} when asked for the functions of the second app. Reading them takes the role Reader on it.`,
    };
  });
}
