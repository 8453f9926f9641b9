import { type Report, runDoctor } from './doctor.ts';
import { type Attempt, FOR_A_NEW_ROLE, type Patience, withPatience } from './patience.ts';

/** These fail for reasons that no waiting mends. */
const WILL_NOT_PASS = new Set(['node', 'settings']);

/**
 * After `azd provision`: the doctor asks the new model as whoever signed in to azd, until the role has arrived.
 * @throws {Error} with what fails and its fix, when it still does at the end
 */
export async function afterProvisioning(
  variables: Readonly<Record<string, string | undefined>>,
  patience: Patience,
  runChecks: () => Promise<Report> = async () => runDoctor({ AZURE_TOKEN_CREDENTIALS: 'AzureDeveloperCliCredential' }),
): Promise<string> {
  if (variables['MODEL_OPEN_TO_DEVELOPER'] !== 'true') {
    return 'The model is closed to this machine (private networking, or no role for you): the app is asked after it is deployed.';
  }
  return withPatience(patience, async () => judge(await runChecks()));
}

function judge({ ok, checks }: Report): Attempt<string> {
  if (ok) return { done: 'The model answers to you.' };
  const failed = checks.filter(({ status }) => status === 'fail');
  const told = failed
    .map(({ name, reason, fix }) => [`${name}: ${reason ?? 'failed'}`, fix].filter(Boolean).join('\n  '))
    .join('\n');
  if (failed.some(({ name }) => WILL_NOT_PASS.has(name))) throw new Error(told);
  return { waitFor: told };
}

if (import.meta.main) {
  try {
    console.log(await afterProvisioning(process.env, FOR_A_NEW_ROLE));
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nEverything is provisioned. Once it is mended: azd deploy`,
    );
    process.exitCode = 1;
  }
}
