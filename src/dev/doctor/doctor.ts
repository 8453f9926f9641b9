import { parseArgs } from 'node:util';
import { credentialChain } from '../../config/credential-chain.ts';
import { createIdentity } from '../../azure/identity.ts';
import { Deadline } from '../../http/deadline.ts';
import { SettingsError } from '../../config/environment.ts';
import { startAzure } from '../emulator/azure.ts';
import { loadLocalSettings } from '../start/local-settings.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import { type Report, skip } from '../../doctor/check.ts';
import { examine, reportFaults } from '../../doctor/examine.ts';
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
const report =
  settings instanceof SettingsError
    ? reportFaults(settings, ['token', 'deployment', 'model'])
    : await examineAsDeveloper(settings);
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

/** Examines with one small question to each deployment, which `/api/health/ready` does not ask. */
async function examineAsDeveloper(known: Settings): Promise<Report> {
  const credentialThatAnswered = credentialLog();
  const [only, another] = credentialChain(known.auth, process.env);
  const tokens = createIdentity(known, process.env);
  let answering: string | undefined;
  return examine(
    {
      settings: known,
      tokens,
      answeredBy: () => credentialThatAnswered() ?? (another ? undefined : only),
      async deployment(target, deadline) {
        const finding = await checkVision(known, target, tokens, deadline);
        answering ??= finding.model;
        return finding;
      },
      model: async () => (answering ? checkModel(known, known, tokens, answering) : skip('no answer told its name')),
    },
    new Deadline(known.requestTimeoutMs),
  );
}
