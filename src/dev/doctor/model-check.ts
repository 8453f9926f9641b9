import { readLifecycle } from './lifecycle.ts';
import type { TokenSource } from '../../azure/token-source.ts';
import type { Settings, Target } from '../../config/settings.ts';
import { type Finding, ok, skip, warn } from '../../doctor/check.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Four months, which is enough to choose another model, try it on your own images, and switch. */
const RETIRES_SOON_DAYS = 120;

/**
 * Checks when the model behind a deployment retires.
 * @param model - the name that the deployment's answer has
 */
export async function checkModel(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  model: string,
): Promise<Finding> {
  const lifecycle = await readLifecycle(settings, target, tokens, model);
  if (!lifecycle) return skip(`${model}: the resource does not say when it retires; npm run models may know`);
  const { status, retires } = lifecycle;
  if (!retires) return ok(`${model} (${status}) has no retirement date`);
  const line = `${model} (${status}) retires on ${retires.toISOString().slice(0, 10)}`;
  return retiresSoon(retires)
    ? warn(line, 'choose another (npm run models), deploy it beside this one, and set AZURE_OPENAI_DEPLOYMENT to it')
    : ok(line);
}

/** Returns whether a model has retired, or will retire within {@link RETIRES_SOON_DAYS} days. */
export function retiresSoon(retires: Date): boolean {
  return retires.getTime() - Date.now() < RETIRES_SOON_DAYS * DAY_MS;
}
