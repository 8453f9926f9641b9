import { AzureDeveloperCliCredential } from '@azure/identity';
import * as v from 'valibot';
import { functionKey } from './function-key.ts';
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
  RESOURCE_MANAGER: v.pipe(v.string(), v.url()),
});

/** After `azd deploy`: is the app alive, and does it answer? */
async function afterDeployment(): Promise<string> {
  const {
    SERVICE_API_URI: app,
    SERVICE_API_ID: id,
    SERVICE_API_SIGN_IN: signIn,
    RESOURCE_MANAGER: manager,
  } = v.parse(Outputs, process.env);
  await waitUntilAlive(app, FOR_A_NEW_ROLE);
  if (signIn) return `${app} is alive. Its callers sign in with Entra ID, so nothing was asked.`;
  const answer = await askOnce(app, await functionKey(manager, id, new AzureDeveloperCliCredential()), FOR_A_NEW_ROLE);
  return `${app} is alive and answers.\n${answer}`;
}

try {
  console.log(await afterDeployment());
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : String(error)}\nThe app is deployed but does not answer. Once it is mended, look again: azd hooks run postdeploy`,
  );
  process.exitCode = 1;
}
