import type { Case } from '../cases.ts';
import { at, type Deployment, type Resource } from '../deployment.ts';

/** The expected value of a property. A list means one of its values, and a pattern means a string that matches it. */
type Expected = string | number | boolean | RegExp | readonly string[] | null;
type Expectations = Readonly<Record<string, Expected>>;

/** The frequencies and windows of alerts that Azure Monitor accepts for both kinds of rule. */
const FREQUENCY = ['PT5M', 'PT15M', 'PT30M', 'PT1H'];
const WINDOW = ['PT15M', 'PT30M', 'PT1H', 'PT6H'];
const SEVERITY = /^[0-4]$/;

/**
 * The expected properties of each type of resource: those that close access by key or from unexpected networks, and
 * those for which the compiler accepts any text although Azure accepts only a few values. A type that is missing here
 * is a finding, so that somebody decides what to expect.
 */
const EXPECTED: Readonly<Record<string, (of: Case) => Expectations>> = {
  'Microsoft.Resources/resourceGroups': () => ({ location: 'swedencentral', 'tags.azd-env-name': 'test' }),
  'Microsoft.Authorization/roleAssignments': () => ({
    'properties.principalType': ['User', 'ServicePrincipal'],
    'properties.roleDefinitionId':
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.Authorization\/roleDefinitions\/[^/]+$/,
  }),
  'Microsoft.ManagedIdentity/userAssignedIdentities': () => ({ location: 'swedencentral' }),
  'Microsoft.OperationalInsights/workspaces': () => ({
    'properties.sku.name': 'PerGB2018',
    'properties.features.disableLocalAuth': true,
    'properties.workspaceCapping.dailyQuotaGb': 1,
  }),
  'Microsoft.Insights/components': () => ({
    kind: 'web',
    'properties.Application_Type': 'web',
    'properties.DisableLocalAuth': true,
    'properties.WorkspaceResourceId': /\/Microsoft\.OperationalInsights\/workspaces\//,
  }),
  'Microsoft.Storage/storageAccounts': ({ privateNetworking }) => ({
    kind: 'StorageV2',
    'sku.name': ['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'],
    'properties.allowSharedKeyAccess': false,
    'properties.allowBlobPublicAccess': false,
    'properties.isLocalUserEnabled': false,
    'properties.minimumTlsVersion': ['TLS1_2', 'TLS1_3'],
    'properties.supportsHttpsTrafficOnly': true,
    ...closed(privateNetworking),
  }),
  'Microsoft.Storage/storageAccounts/blobServices': () => ({}),
  'Microsoft.Storage/storageAccounts/blobServices/containers': () => ({ 'properties.publicAccess': 'None' }),
  'Microsoft.Storage/storageAccounts/queueServices': () => ({}),
  'Microsoft.Storage/storageAccounts/queueServices/queues': () => ({}),
  'Microsoft.CognitiveServices/accounts': ({ privateNetworking }) => ({
    kind: ['OpenAI', 'AIServices'],
    'sku.name': 'S0',
    'properties.disableLocalAuth': true,
    'properties.customSubDomainName': /^oai2?-[a-z0-9]{13}$/,
    ...closed(privateNetworking),
  }),
  'Microsoft.CognitiveServices/accounts/deployments': () => ({
    'sku.name': ['GlobalStandard', 'DataZoneStandard', 'Standard'],
    'sku.capacity': /^[1-9]\d*$/,
    'properties.model.format': 'OpenAI',
    'properties.model.version': /^\d{4}-\d{2}-\d{2}$/,
    'properties.versionUpgradeOption': ['OnceCurrentVersionExpired', 'OnceNewDefaultVersionAvailable', 'NoAutoUpgrade'],
  }),
  'Microsoft.Web/serverfarms': () => ({
    kind: 'functionapp',
    'sku.name': 'FC1',
    'sku.tier': 'FlexConsumption',
    'properties.reserved': true,
  }),
  'Microsoft.Web/sites': ({ userAssignedIdentity, privateNetworking }) => ({
    kind: 'functionapp,linux',
    'identity.type': userAssignedIdentity ? 'UserAssigned' : 'SystemAssigned',
    'properties.httpsOnly': true,
    'properties.publicNetworkAccess': 'Enabled',
    'properties.siteConfig.minTlsVersion': ['1.2', '1.3'],
    'properties.virtualNetworkSubnetId': privateNetworking ? /\/virtualNetworks\/[^/]+\/subnets\/app$/ : null,
    'properties.functionAppConfig.runtime.name': 'node',
    'properties.functionAppConfig.runtime.version': ['22', '24'],
    'properties.functionAppConfig.deployment.storage.type': 'blobContainer',
    'properties.functionAppConfig.deployment.storage.value': /primaryEndpoints\.blob, 'packages'\)/,
    'properties.functionAppConfig.deployment.storage.authentication.type': userAssignedIdentity
      ? 'UserAssignedIdentity'
      : 'SystemAssignedIdentity',
  }),
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': () => ({
    // Without it, Azure rejects the resource.
    location: 'swedencentral',
    'properties.allow': false,
  }),
  // app-settings.ts and sign-in.ts check these.
  'Microsoft.Web/sites/config': () => ({}),
  'Microsoft.Insights/actionGroups': () => ({
    location: 'global',
    'properties.enabled': true,
    // At most 12 characters: https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
    'properties.groupShortName': /^.{1,12}$/,
  }),
  'Microsoft.Insights/scheduledQueryRules': () => ({
    'properties.enabled': true,
    'properties.severity': SEVERITY,
    'properties.evaluationFrequency': FREQUENCY,
    'properties.windowSize': WINDOW,
    'properties.skipQueryValidation': true,
  }),
  'Microsoft.Insights/metricAlerts': () => ({
    location: 'global',
    'properties.enabled': true,
    'properties.severity': SEVERITY,
    'properties.evaluationFrequency': FREQUENCY,
    'properties.windowSize': WINDOW,
    'properties.criteria.odata.type': /^Microsoft\.Azure\.Monitor\./,
  }),
  'Microsoft.Network/networkSecurityGroups': () => ({}),
  'Microsoft.Network/virtualNetworks': () => ({}),
  'Microsoft.Network/privateDnsZones': () => ({ location: 'global' }),
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': () => ({
    location: 'global',
    'properties.registrationEnabled': false,
    'properties.virtualNetwork.id': /\/Microsoft\.Network\/virtualNetworks\//,
  }),
  'Microsoft.Network/privateEndpoints': () => ({ 'properties.subnet.id': /\/subnets\/endpoints$/ }),
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': () => ({}),
};

function closed(privateNetworking: true | undefined): Expectations {
  return {
    'properties.publicNetworkAccess': privateNetworking ? 'Disabled' : 'Enabled',
    'properties.networkAcls.defaultAction': privateNetworking ? 'Deny' : 'Allow',
  };
}

/** Checks that every resource has the expected properties of its type. */
export function properties(deployment: Deployment): string[] {
  return deployment.resources.flatMap((resource) => {
    const expected = EXPECTED[resource.type]?.(deployment.case);
    return expected ? faults(resource, expected) : [`${resource.type} is missing in policy/properties.ts`];
  });
}

function faults(resource: Resource, expected: Expectations): string[] {
  return Object.entries(expected).flatMap(([path, value]) => {
    const found = valueAt(resource, path);
    return matches(found, value) ? [] : [`${resource.type}: ${path} is ${JSON.stringify(found)}, not ${String(value)}`];
  });
}

/** Returns the value at a path. `odata.type` is the one name that has a dot in it. */
function valueAt(resource: Resource, path: string): unknown {
  if (!path.endsWith('.odata.type')) return at(resource, path);
  return Object.entries(at(resource, 'properties.criteria') ?? {}).find(([key]) => key === 'odata.type')?.[1];
}

function matches(found: unknown, expected: Expected): boolean {
  if (expected instanceof RegExp) return expected.test(String(found));
  if (Array.isArray(expected)) return expected.includes(found);
  return found === expected;
}
