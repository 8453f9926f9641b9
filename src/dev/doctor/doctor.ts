import { parseArgs } from 'node:util';
import { credentialChain } from '../../config/credential-chain.ts';
import { createIdentity } from '../../azure/identity.ts';
import { Deadline } from '../../http/deadline.ts';
import { SettingsError } from '../../config/environment.ts';
import { startAzure } from '../emulator/azure.ts';
import { loadLocalSettings } from '../start/local-settings.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import { skip } from '../../doctor/check.ts';
import { examine } from '../../doctor/examine.ts';
import { checkModel } from './model-check.ts';
import { printed } from './print.ts';
import { checkVision } from './vision-check.ts';
import { credentialLog } from './credential-log.ts';

const USAGE = 'usage: npm run doctor [-- --json] [-- --emulate]';

/** `npm run doctor`: why does it not work? Exits 1 when a check fails. */
const options = readOptions();
if (options.emulate) Object.assign(process.env, (await startAzure()).env);
else loadLocalSettings();

const settings = loadSettings();
const credentialThatAnswered = credentialLog();
let answering: string | undefined;
const deadline = new Deadline(settings instanceof SettingsError ? 1 : settings.requestTimeoutMs);
const report = await examine(
  {
    settings,
    tokens: async (known) => createIdentity(known, process.env),
    answeredBy: () => credentialThatAnswered() ?? onlyCredential(),
    async deployment(known, target, tokens, until) {
      const finding = await checkVision(known, target, tokens, until);
      answering ??= finding.model;
      return finding;
    },
    model: async (known, tokens) =>
      answering ? checkModel(known, known, tokens, answering) : skip('no answer told its name'),
  },
  deadline,
);
process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printed(report));
process.exit(report.ok ? 0 : 1);

function readOptions(): { json: boolean; emulate: boolean } {
  try {
    return parseArgs({
      options: { json: { type: 'boolean', default: false }, emulate: { type: 'boolean', default: false } },
    }).values;
  } catch {
    process.stderr.write(`${USAGE}\n`);
    process.exit(2);
  }
}

function loadSettings(): Settings | SettingsError {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

/** Where there is only one, it was that one. */
function onlyCredential(): string | undefined {
  const [only, another] = settings instanceof SettingsError ? [] : credentialChain(settings.auth, process.env);
  return another ? undefined : only;
}
