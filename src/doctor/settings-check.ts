import type { SettingFault, SettingsError } from '../config/environment.ts';
import type { Settings } from '../config/settings.ts';
import { fail, type Finding, ok, warn } from './check.ts';

/** The endpoint check reports a malformed endpoint; that it is not set at all, the settings check does. */
const ENDPOINTS: ReadonlySet<string> = new Set(['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_ENDPOINT_2', 'GPT4V_ENDPOINT']);

/** The notes about settings that are complete and of the right form. */
export function checkNotes({ notes }: Settings): Finding {
  return notes.length === 0 ? ok('complete') : warn(notes.join(' '), 'in Azure, set none of the variables of keys');
}

/** What is wrong with the settings, malformed endpoints aside. */
export function checkFaults(error: SettingsError): Finding {
  const faults = error.faults.filter((fault) => !isMalformedEndpoint(fault));
  const [first] = faults;
  if (!first) return ok('complete');
  return fail(
    faults.map(sentence).join(' '),
    `set ${first.setting} (src/README.md, Settings), in the environment, local.settings.json or .env`,
  );
}

/** What is wrong with the form of an endpoint; undefined if nothing is. */
export function endpointFault({ faults }: SettingsError): string | undefined {
  const fault = faults.find(isMalformedEndpoint);
  return fault && sentence(fault);
}

function isMalformedEndpoint({ setting, fault }: SettingFault): boolean {
  return ENDPOINTS.has(setting) && !fault.startsWith('is not set');
}

function sentence({ setting, fault }: SettingFault): string {
  return `${setting} ${fault}`;
}
