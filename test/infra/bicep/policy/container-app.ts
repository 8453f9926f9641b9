import { at, type Deployment, list } from '../deployment.ts';
import { readByIdentity, readByTheApp } from './app-settings.ts';
import { permissionOf } from './roles.ts';

const PULL_IMAGES = '7f951dda-4ed3-4680-a7ca-43fe172d538d'; // AcrPull
const MODEL_USER = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'; // Cognitive Services OpenAI User

/** Checks the roles, the identity, the ingress and the environment variables of the container app. */
export function containerApp(deployment: Deployment): string[] {
  const app = deployment.only('Microsoft.App/containerApps');
  const identity = deployment.only('Microsoft.ManagedIdentity/userAssignedIdentities');
  const [registry] = list(app, 'properties.configuration.registries');
  const [container] = list(app, 'properties.template.containers');
  const ingress = at(app, 'properties.configuration.ingress');
  const providers = `${identity.id.split('/providers/')[0] ?? ''}/providers`;
  const principal = `[reference('${identity.id}', '${identity.apiVersion}').principalId]`;
  const expectedRoles = [
    `${principal}, ServicePrincipal: ${PULL_IMAGES} on ${providers}/Microsoft.ContainerRegistry/registries/registry`,
    `${principal}, ServicePrincipal: ${MODEL_USER} on ${providers}/Microsoft.CognitiveServices/accounts/shared-models`,
  ];
  const roles = deployment
    .all('Microsoft.Authorization/roleAssignments')
    .map((assignment) => `${String(assignment.properties['principalId'])}, ${permissionOf(assignment)}`);
  const known = new Set([...readByTheApp(), ...readByIdentity(), ...SERVER]);
  const variables = new Map(list(container, 'env').map((each) => [String(at(each, 'name')), at(each, 'value')]));
  return [
    ...roles.filter((role) => !expectedRoles.includes(role)).map((role) => `unexpected role assignment: ${role}`),
    ...expectedRoles.filter((role) => !roles.includes(role)).map((role) => `missing role assignment: ${role}`),
    ...(deployment.resources.length === 4 ? [] : [`there are ${deployment.resources.length} resources, not 4`]),
    ...(Object.keys(at(app, 'identity.userAssignedIdentities') ?? {}).join() === identity.id
      ? []
      : ['the container app has another identity']),
    ...(at(registry, 'identity') === identity.id && at(registry, 'passwordSecretRef') === undefined
      ? []
      : ['the image is not pulled by the identity']),
    ...(at(app, 'properties.configuration.secrets') === undefined ? [] : ['the container app has secrets']),
    ...(at(ingress, 'allowInsecure') === false ? [] : ['the container app accepts plain HTTP']),
    ...(at(ingress, 'targetPort') === 8080 ? [] : ['the ingress uses another port than the image listens on']),
    ...[...variables.keys()].filter((name) => !known.has(name)).map((name) => `nothing reads the variable ${name}`),
    ...Object.entries(expectedVariables(identity))
      .filter(([name, value]) => variables.get(name) !== value)
      .map(([name]) => `the variable ${name} is ${String(variables.get(name))}`),
  ];
}

/** The variables that only src/server reads. They say who may call. */
const SERVER = ['AUTH_TENANT_ID', 'AUTH_CLIENT_ID', 'AUTH_ALLOWED_CLIENTS'];

function expectedVariables({ id, apiVersion }: { id: string; apiVersion: string }): Record<string, string> {
  return {
    AUTH_TENANT_ID: '11111111-1111-1111-1111-111111111111',
    AUTH_CLIENT_ID: '33333333-3333-3333-3333-333333333333',
    AUTH_ALLOWED_CLIENTS: '55555555-5555-5555-5555-555555555555',
    AZURE_OPENAI_DEPLOYMENT: 'vision',
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    AZURE_CLIENT_ID: `[reference('${id}', '${apiVersion}').clientId]`,
  };
}
