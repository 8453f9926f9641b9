import { AzureDeveloperCliCredential } from '@azure/identity';
import * as v from 'valibot';
import { functionKey } from './function-key.ts';
import { waitForTrigger } from './job-trigger.ts';
import { FOR_A_NEW_ROLE } from './patience.ts';
import { askOnce, waitUntilAlive } from './smoke.ts';

/** The outputs of infra/main.bicep, which azd hands to its hooks. */
const Outputs = v.object({
  SERVICE_API_URI: v.pipe(v.string(), v.url()),
  SERVICE_API_ID: v.pipe(v.string(), v.startsWith('/')),
  SERVICE_API_SIGN_IN: v.pipe(
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
  /** Empty without jobs. */
  SERVICE_JOBS_URI: v.optional(v.union([v.literal(''), v.pipe(v.string(), v.url())]), ''),
  SERVICE_JOBS_ID: v.optional(v.string(), ''),
  RESOURCE_MANAGER: v.pipe(v.string(), v.url()),
});

/** After `azd deploy`: are the apps alive, does the first one answer, and does the second one take messages? */
async function afterDeployment(): Promise<string> {
  const outputs = v.parse(Outputs, process.env);
  const { SERVICE_API_URI: app, SERVICE_API_ID: id, SERVICE_JOBS_URI: jobsApp, SERVICE_JOBS_ID: jobsId } = outputs;
  const manager = { url: outputs.RESOURCE_MANAGER, credential: new AzureDeveloperCliCredential() };
  const said: string[] = [];
  await waitUntilAlive(app, FOR_A_NEW_ROLE);
  if (outputs.SERVICE_API_SIGN_IN) {
    said.push(`${app} is alive. Its callers sign in with Entra ID, so nothing was asked.`);
  } else {
    const answer = await askOnce(app, await functionKey(manager, id), FOR_A_NEW_ROLE);
    said.push(`${app} is alive and answers.`, answer);
  }
  if (jobsApp) {
    await waitUntilAlive(jobsApp, FOR_A_NEW_ROLE);
    await waitForTrigger(manager, jobsId, FOR_A_NEW_ROLE);
    said.push(`${jobsApp} is alive and takes the messages of jobs.`);
  }
  return said.join('\n');
}

try {
  console.log(await afterDeployment());
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : String(error)}\nThe app is deployed but does not answer. Once it is mended, look again: azd hooks run postdeploy`,
  );
  process.exitCode = 1;
}
