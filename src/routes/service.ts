import { createIdentity } from '../azure/identity.ts';
import { Model } from '../azure/model.ts';
import type { TokenSource } from '../azure/token-source.ts';
import { SettingsError } from '../config/environment.ts';
import { Admission } from '../http/admission.ts';
import { once } from '../config/once.ts';
import { Problem } from '../http/problem.ts';
import type { Settings } from '../config/settings.ts';

/** What the front doors share: one for each process. */
export interface Service {
  readonly settings: Settings;
  readonly model: Model;
  /** This process's identity; undefined where a key stands in for it. */
  readonly tokens: TokenSource | undefined;
  readonly admission: Admission;
}

/**
 * A service that is made when it is first asked for, and once: the SDKs behind it are most of the app's weight.
 * @returns a function that throws the problem `misconfigured` where the settings are faulty
 */
export function lazyService(
  settings: Settings | SettingsError,
  variables: Readonly<Record<string, string | undefined>>,
): () => Promise<Service> {
  return once(async () => {
    if (settings instanceof SettingsError) throw misconfigured(settings);
    const tokens = createIdentity(settings, variables);
    // The first token is fetched at once. Whoever needs one is told if that fails.
    void tokens?.get().catch(() => undefined);
    return {
      settings,
      tokens,
      model: new Model(settings, tokens),
      admission: new Admission(settings.maxInflightBytes),
    };
  });
}

function misconfigured({ faults }: SettingsError): Problem {
  const lines = faults.map(({ setting, fault }) => `${setting} ${fault}`);
  const settings = [...new Set(faults.map(({ setting }) => setting))];
  return new Problem('misconfigured', `The app's settings need attention. ${lines.join(' ')}`, {
    members: { settings },
  });
}
