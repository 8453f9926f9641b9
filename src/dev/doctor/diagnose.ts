import { createIdentity, createStorageIdentity } from '../../azure/identity.ts';
import { credentialChain } from '../../config/credential-chain.ts';
import { SettingsError } from '../../config/environment.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import { type Report, skip } from '../../doctor/check.ts';
import { runChecks, reportFaults } from '../../doctor/run-checks.ts';
import { storageCheck } from '../../doctor/storage-check.ts';
import { Deadline } from '../../http/deadline.ts';
import { Storage } from '../../storage/account.ts';
import { checkModel } from './model-check.ts';
import { checkVision } from './vision-check.ts';
import { AzureLogger, setLogLevel } from '@azure/logger';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Checks the app with these environment variables. Unlike `/api/health/ready`, it asks each deployment one small
 * question, which costs a few tokens.
 */
export async function diagnose(variables: Variables): Promise<Report> {
  const settings = loadSettings(variables);
  if (settings instanceof SettingsError) return reportFaults(settings, ['token', 'deployment', 'model']);
  const credentialThatAnswered = credentialLog();
  const [only, another] = credentialChain(settings.auth, variables);
  const tokens = createIdentity(settings, variables);
  let answering: string | undefined;
  return runChecks(
    {
      settings,
      tokens,
      answeredBy: () => credentialThatAnswered() ?? (another ? undefined : only),
      async deployment(target, deadline) {
        const finding = await checkVision(settings, target, tokens, deadline);
        answering ??= finding.model;
        return finding;
      },
      storage: storageCheck(settings, async () => new Storage(createStorageIdentity(settings, variables))),
      model: async () =>
        answering ? checkModel(settings, settings, tokens, answering) : skip('no answer named the model'),
    },
    new Deadline(settings.requestTimeoutMs),
  );
}

function loadSettings(variables: Variables): Settings | SettingsError {
  try {
    return readSettings(variables);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

/**
 * Starts to watch which credential of a chain answers. `@azure/identity` says so only in its log:
 * https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#enable-and-configure-logging
 * @returns a function that returns the name of that credential, if one has answered
 */
export function credentialLog(): () => string | undefined {
  let credential: string | undefined;
  setLogLevel('info');
  AzureLogger.log = (...words) => {
    const [, name] = /ChainedTokenCredential => getToken\(\) => Result for (\w+): SUCCESS/.exec(words.join(' ')) ?? [];
    credential = name ?? credential;
  };
  return () => credential;
}
