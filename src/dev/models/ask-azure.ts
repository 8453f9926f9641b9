import { RestError } from '@azure/core-rest-pipeline';
import { credentialHttp } from '../../azure/credential-http.ts';
import { attemptsOf } from '../../azure/identity-failure.ts';
import { credentialChain } from '../../config/credential-chain.ts';
import { retiresSoon } from '../doctor/model-check.ts';
import { type Account, ControlPlane, trySettings } from './control-plane.ts';
import { canSee, type OfferedModel, retirementOf, visionModels } from './vision.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

type Variables = Readonly<Record<string, string | undefined>>;

/** What Azure answered. */
export interface Found {
  readonly location: string;
  readonly models: readonly OfferedModel[];
  /** The model of the configured deployment; null if no deployment is configured, or Azure does not know it. */
  readonly configured: {
    readonly deployment: string;
    readonly name: string;
    readonly version: string;
    readonly retires: string | null;
  } | null;
  readonly warnings: readonly string[];
}

/** Azure could not be asked, or did not answer. The message says what to do. */
export class NotAsked extends Error {}

/**
 * Asks Azure's control plane which models in a region can see images.
 * @param location - the region; by default, that of the configured resource
 * @throws {NotAsked} with a message for the user
 */
export async function ask(variables: Variables, location: string | undefined): Promise<Found> {
  const subscription = await findSubscription(variables);
  if (!subscription) throw new NotAsked('No subscription is known. Set AZURE_SUBSCRIPTION_ID, or sign in: az login');
  try {
    return await askIn(new ControlPlane(variables, subscription), variables, location);
  } catch (error) {
    throw await notAsked(error, variables);
  }
}

async function askIn(plane: ControlPlane, variables: Variables, location: string | undefined): Promise<Found> {
  const settings = trySettings(variables);
  const account = settings && (await plane.accountOf(settings.endpoint));
  const region = location ?? account?.location;
  if (!region)
    throw new NotAsked(
      'No region is known: AZURE_OPENAI_ENDPOINT is not a resource of this subscription. Name a region: npm ' +
        'run models -- --location REGION',
    );

  const all = await plane.models(region);
  const deployed = settings && account ? await configured(plane, account, settings.deployment) : undefined;
  if (!deployed || !account) return { location: region, models: visionModels(all), configured: null, warnings: [] };
  const retires = retirementOf(deployed, account.location === region ? all : await plane.models(account.location));
  return {
    location: region,
    models: visionModels(all),
    configured: { ...deployed, retires },
    warnings: warningsOf(deployed, retires),
  };
}

async function configured(
  plane: ControlPlane,
  account: Account,
  deployment: string,
): Promise<{ deployment: string; name: string; version: string } | undefined> {
  const model = await plane.modelOf(account, deployment);
  return model && { deployment, ...model };
}

function warningsOf(
  { deployment, name, version }: { deployment: string; name: string; version: string },
  retires: string | null,
): string[] {
  if (!canSee(name)) return [`The deployment ${deployment} runs ${name} ${version}, which is not known to see images.`];
  if (!retires || !retiresSoon(new Date(retires))) return [];
  return [
    `The deployment ${deployment} runs ${name} ${version}, which retires on ${retires}. Deploy another model ` +
      'beside it, and set AZURE_OPENAI_DEPLOYMENT to that deployment.',
  ];
}

async function notAsked(error: unknown, variables: Variables): Promise<unknown> {
  if (error instanceof RestError) {
    if (error.statusCode === 404 && error.code === 'SubscriptionNotFound')
      return new NotAsked(
        'There is no such subscription for this identity. Check AZURE_SUBSCRIPTION_ID, or choose another: az ' +
          'account set --subscription NAME',
      );
    if (error.statusCode === 401 || error.statusCode === 403)
      return new NotAsked(
        'Azure refused. This identity needs the role Reader on the subscription: az role assignment create ' +
          '--role Reader --assignee OBJECT_ID --scope /subscriptions/ID',
      );
    return new NotAsked(
      `Azure's control plane did not answer as it should ` +
        `(${error.statusCode ?? error.code ?? 'no connection'}). Try again in a while.`,
    );
  }
  if (!(error instanceof Error) || !/Authentication|CredentialUnavailable/.test(error.name)) return error;
  const chain = credentialChain(trySettings(variables)?.auth ?? 'identity', variables);
  const attempts = await attemptsOf(error, { chain, variables, lastResults: credentialHttp });
  return new NotAsked(
    [
      'You are not signed in to Azure:',
      ...attempts.map(({ credential, said }) => `  ${credential}: ${said}`),
      'Run az login.',
    ].join('\n'),
  );
}

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Returns the subscription of AZURE_SUBSCRIPTION_ID, or else that of the Azure CLI. Undefined if neither is known. */
export async function findSubscription(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const set = variables['AZURE_SUBSCRIPTION_ID']?.trim();
  if (set) return set;
  try {
    const { stdout } = await promisify(execFile)('az', ['account', 'show', '--query', 'id', '--output', 'tsv']);
    return GUID.test(stdout.trim()) ? stdout.trim() : undefined;
  } catch {
    return undefined; // the CLI is not installed, or not signed in
  }
}
