import { type SettingFault, SettingsError } from '../config/environment.ts';
import type { Settings } from '../config/settings.ts';
import { fail, type Finding, ok, warn } from './check.ts';

/** A fault in the form of an endpoint is told by the check of that name; that it is not set at all, here. */
const ENDPOINTS: ReadonlySet<string> = new Set(['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_ENDPOINT_2', 'GPT4V_ENDPOINT']);

/** Whether the settings are complete and of the right form, the endpoint's form aside. */
export function checkSettings(settings: Settings | SettingsError): Finding {
  const faults = faultsOf(settings).filter((fault) => !isEndpointForm(fault));
  const [first] = faults;
  if (first)
    return fail(
      faults.map(sentence).join(' '),
      `set ${first.setting} (README.md, Settings), in the environment, local.settings.json or .env`,
    );
  if (settings instanceof SettingsError || settings.notes.length === 0) return ok('complete');
  return warn(settings.notes.join(' '), 'in Azure, set none of the variables of keys');
}

/** What is wrong with the form of an endpoint; undefined where nothing is. */
export function endpointFault(settings: Settings | SettingsError): string | undefined {
  const fault = faultsOf(settings).find(isEndpointForm);
  return fault && sentence(fault);
}

function faultsOf(settings: Settings | SettingsError): readonly SettingFault[] {
  return settings instanceof SettingsError ? settings.faults : [];
}

function isEndpointForm({ setting, fault }: SettingFault): boolean {
  return ENDPOINTS.has(setting) && !fault.startsWith('is not set');
}

function sentence({ setting, fault }: SettingFault): string {
  return `${setting} ${fault}`;
}
