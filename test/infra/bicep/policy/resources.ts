import { JOBS as JOBS_NAME } from '../../../../src/config/storage.ts';
import type { Case } from '../cases.ts';
import type { Deployment } from '../deployment.ts';

type Counts = Readonly<Record<string, number>>;

const ALWAYS: Counts = {
  'Microsoft.Resources/resourceGroups': 1,
  'Microsoft.OperationalInsights/workspaces': 1,
  'Microsoft.Insights/components': 1,
  'Microsoft.Storage/storageAccounts': 1,
  'Microsoft.Storage/storageAccounts/blobServices': 1,
  'Microsoft.Storage/storageAccounts/blobServices/containers': 1,
  'Microsoft.CognitiveServices/accounts': 1,
  'Microsoft.CognitiveServices/accounts/deployments': 1,
  'Microsoft.Web/serverfarms': 1,
  'Microsoft.Web/sites': 1,
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': 2,
  'Microsoft.Web/sites/config': 2,
  'Microsoft.Authorization/roleAssignments': 3,
  'Microsoft.Insights/scheduledQueryRules': 1,
  'Microsoft.Insights/metricAlerts': 1,
};
const MODEL: Counts = {
  'Microsoft.CognitiveServices/accounts': 1,
  'Microsoft.CognitiveServices/accounts/deployments': 1,
};
/** Includes the endpoints and zones of storage and of one model account. */
const PRIVATE_NETWORKING: Counts = {
  'Microsoft.Network/networkSecurityGroups': 1,
  'Microsoft.Network/virtualNetworks': 1,
  'Microsoft.Network/privateDnsZones': 4,
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': 4,
  'Microsoft.Network/privateEndpoints': 2,
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': 2,
};
const ONE_ENDPOINT: Counts = {
  'Microsoft.Network/privateEndpoints': 1,
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': 1,
};

/** A second app with an account for its host, an account for jobs and images, and its alert. */
const JOBS: Counts = {
  'Microsoft.Storage/storageAccounts': 2,
  'Microsoft.Storage/storageAccounts/blobServices': 2,
  'Microsoft.Storage/storageAccounts/blobServices/containers': 3,
  'Microsoft.Storage/storageAccounts/queueServices': 1,
  'Microsoft.Storage/storageAccounts/queueServices/queues': 2,
  'Microsoft.Web/serverfarms': 1,
  'Microsoft.Web/sites': 1,
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': 2,
  'Microsoft.Web/sites/config': 1,
  // Three for the second app (its host's storage, telemetry and the model), and eight of both apps for jobs.
  'Microsoft.Authorization/roleAssignments': 11,
  'Microsoft.Insights/scheduledQueryRules': 1,
};
/** The endpoints of the blobs of two accounts and the queues of one, and the zone of queues. */
const JOBS_PRIVATELY: Counts = {
  'Microsoft.Network/privateDnsZones': 1,
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': 1,
  'Microsoft.Network/privateEndpoints': 3,
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': 3,
};

/** The types that may be deployed into the group of an existing account: its role assignments and its alert. */
const BESIDE_A_MODEL = new Set([
  'Microsoft.Authorization/roleAssignments',
  'Microsoft.Insights/metricAlerts',
  'Microsoft.Insights/actionGroups',
]);

/** Checks that exactly the expected resources are deployed, each in the right group and region. */
export function resources(deployment: Deployment): string[] {
  return [...wrongCounts(deployment), ...strays(deployment), ...misplaced(deployment), ...misnamed(deployment)];
}

/** Checks the names by which the app and its host find containers and queues. */
function misnamed(deployment: Deployment): string[] {
  const expected = deployment.services.map((service) => `${deployment.hostStorage(service).name}/default/packages`);
  if (deployment.case.jobs) {
    const jobs = `${deployment.jobsStorage.name}/default`;
    expected.push(`${jobs}/images`, `${jobs}/${JOBS_NAME}`, `${jobs}/${JOBS_NAME}`, `${jobs}/${JOBS_NAME}-poison`);
  }
  const found = ['blobServices/containers', 'queueServices/queues']
    .flatMap((type) => deployment.all(`Microsoft.Storage/storageAccounts/${type}`))
    .map(({ name }) => name);
  return found.toSorted().join() === expected.toSorted().join() ? [] : [`containers and queues are ${found.join()}`];
}

function strays(deployment: Deployment): string[] {
  const group = deployment.only('Microsoft.Resources/resourceGroups').id;
  const [ofModel = group] = deployment.case.existingModel?.split('/providers/') ?? [];
  return deployment.resources
    .filter(({ id, type }) => {
      const path = /\/subscriptions\/[^']+/.exec(id)?.[0] ?? '';
      return !isIn(group, path, id) && !(BESIDE_A_MODEL.has(type) && isIn(ofModel, path, id));
    })
    .map(({ id, type }) => `${type} is in an unexpected resource group: ${id}`);
}

/** Checks that everything is in the first region, except the model of the second one. */
function misplaced(deployment: Deployment): string[] {
  return deployment.resources
    .filter(({ name, location }) => {
      if (location === undefined || location === 'global') return false;
      return location !== (name.startsWith('oai2-') ? 'eastus2' : 'swedencentral');
    })
    .map(({ name, location }) => `${name} is in ${location}`);
}

/** Returns whether a resource is in a group. An id that depends on the cloud is an expression with the group's name. */
function isIn(group: string, path: string, id: string): boolean {
  const [, , subscription, , name] = group.split('/');
  return path === group || path.startsWith(`${group}/`) || id.startsWith(`[resourceId('${subscription}', '${name}', `);
}

function wrongCounts(deployment: Deployment): string[] {
  const expected = expectedFor(deployment.case);
  const types = new Set([...expected.keys(), ...deployment.resources.map(({ type }) => type)]);
  return [...types].flatMap((type) => {
    const [found, should] = [deployment.all(type).length, expected.get(type) ?? 0];
    return found === should ? [] : [`${type}: there are ${found} of them, not ${should}`];
  });
}

function expectedFor(of: Case): Map<string, number> {
  const models = of.secondRegion ? 2 : 1;
  const counts = new Map(Object.entries(ALWAYS));
  const add = (more: Counts, times = 1): void => {
    for (const [type, count] of Object.entries(more)) counts.set(type, (counts.get(type) ?? 0) + count * times);
  };
  if (of.existingModel) add(MODEL, -1);
  if (of.secondRegion) {
    add(MODEL);
    add({ 'Microsoft.Authorization/roleAssignments': 1, 'Microsoft.Insights/metricAlerts': 1 });
  }
  if (of.principalType) add({ 'Microsoft.Authorization/roleAssignments': models });
  if (of.userAssignedIdentity) add({ 'Microsoft.ManagedIdentity/userAssignedIdentities': 1 });
  if (of.privateNetworking) add(PRIVATE_NETWORKING);
  if (of.privateNetworking && of.secondRegion) add(ONE_ENDPOINT);
  if (of.jobs) add(JOBS);
  if (of.jobs && of.secondRegion) add({ 'Microsoft.Authorization/roleAssignments': 1 });
  if (of.jobs && of.principalType) add({ 'Microsoft.Authorization/roleAssignments': 1 });
  if (of.jobs && of.privateNetworking) add(JOBS_PRIVATELY);
  if (of.jobs && of.userAssignedIdentity) add({ 'Microsoft.ManagedIdentity/userAssignedIdentities': 1 });
  if (of.alertEmail) add({ 'Microsoft.Insights/actionGroups': of.name === 'existing-account' ? 2 : 1 });
  return counts;
}
