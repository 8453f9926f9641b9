import type { SettingFault, SettingsError } from '../config/environment.ts';
import type { Settings } from '../config/settings.ts';
import { fail, type Finding, ok, warn } from './check.ts';

/** The endpoint check reports these if they are malformed. The settings check reports them if they are not set. */
const ENDPOINTS: ReadonlySet<string> = new Set(['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_ENDPOINT_2', 'GPT4V_ENDPOINT']);

/** Reports valid settings: a warning if there are notes about them. */
export function checkNotes({ notes }: Settings): Finding {
  return notes.length === 0
    ? ok('complete')
    : warn(notes.join(' '), 'in Azure, do not set AZURE_OPENAI_AUTH or AZURE_OPENAI_API_KEY');
}

/** Reports invalid settings, except malformed endpoints. */
export function checkFaults(error: SettingsError): Finding {
  const faults = error.faults.filter((fault) => !isMalformedEndpoint(fault));
  const [first] = faults;
  if (!first) return ok('complete');
  return fail(
    faults.map(sentence).join(' '),
    `set ${first.setting} (src/README.md, Settings), in the environment, local.settings.json or .env`,
  );
}

/** Says what is wrong with a malformed endpoint. Returns undefined if no endpoint is malformed. */
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
