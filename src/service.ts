import { Model } from './azure/model.ts';
import { SettingsError } from './environment.ts';
import { Problem } from './problem.ts';
import type { Settings } from './settings.ts';

/** What the front doors share: one for each process. */
export interface Service {
  readonly settings: Settings;
  readonly model: Model;
}

/**
 * A service that is made when it is first asked for, and once. With faulty settings every request is told so.
 * @throws {Problem} `misconfigured`, from the function returned
 */
export function lazyService(settings: Settings | SettingsError, variables: Readonly<Record<string, string | undefined>>): () => Service {
  let service: Service | undefined;
  return () => {
    if (settings instanceof SettingsError) throw misconfigured(settings);
    service ??= { settings, model: new Model(settings, variables) };
    return service;
  };
}

function misconfigured({ faults }: SettingsError): Problem {
  const lines = faults.map(({ setting, fault }) => `${setting} ${fault}`);
  const settings = [...new Set(faults.map(({ setting }) => setting))];
  return new Problem('misconfigured', `The app's settings need attention. ${lines.join(' ')}`, { members: { settings } });
}
