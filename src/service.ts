import { createIdentity } from './azure/identity.ts';
import { Model } from './azure/model.ts';
import type { TokenSource } from './azure/token-source.ts';
import { SettingsError } from './environment.ts';
import { Problem } from './problem.ts';
import type { Settings } from './settings.ts';

/** What the front doors share: one for each process. */
export interface Service {
  readonly settings: Settings;
  readonly model: Model;
  /** This process's identity; undefined where a key stands in for it. */
  readonly tokens: TokenSource | undefined;
}

/**
 * A service that is made when it is first asked for, and once. With faulty settings every request is told so.
 * @throws {Problem} `misconfigured`, from the function returned
 */
export function lazyService(settings: Settings | SettingsError, variables: Readonly<Record<string, string | undefined>>): () => Service {
  let service: Service | undefined;
  return () => {
    if (settings instanceof SettingsError) throw misconfigured(settings);
    service ??= createService(settings, variables);
    return service;
  };
}

function createService(settings: Settings, variables: Readonly<Record<string, string | undefined>>): Service {
  const tokens = createIdentity(settings, variables);
  return { settings, tokens, model: new Model(settings, tokens) };
}

function misconfigured({ faults }: SettingsError): Problem {
  const lines = faults.map(({ setting, fault }) => `${setting} ${fault}`);
  const settings = [...new Set(faults.map(({ setting }) => setting))];
  return new Problem('misconfigured', `The app's settings need attention. ${lines.join(' ')}`, { members: { settings } });
}
