import { at, type BicepFile, type Declaration, text } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** What each type of resource must say, so that nobody gets in with a key or from a place that nobody chose. */
const REQUIRED: Readonly<Record<string, readonly (readonly [path: string, value?: string])[]>> = {
  'Microsoft.CognitiveServices/accounts': [
    ['properties.disableLocalAuth', 'true'],
    ['properties.customSubDomainName'],
    ['properties.publicNetworkAccess'],
    ['properties.networkAcls.defaultAction'],
  ],
  'Microsoft.Storage/storageAccounts': [
    ['properties.allowSharedKeyAccess', 'false'],
    ['properties.allowBlobPublicAccess', 'false'],
    ['properties.isLocalUserEnabled', 'false'],
    ['properties.publicNetworkAccess'],
    ['properties.networkAcls.defaultAction'],
  ],
  'Microsoft.Insights/components': [['properties.DisableLocalAuth', 'true']],
  'Microsoft.OperationalInsights/workspaces': [['properties.features.disableLocalAuth', 'true']],
  'Microsoft.Web/sites': [['properties.httpsOnly', 'true'], ['identity'], ['properties.publicNetworkAccess']],
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': [['properties.allow', 'false']],
};

/** Types that know no authentication of their own. Any other is a finding, so that somebody looks at it. */
const WITHOUT_LOCAL_AUTH = new Set([
  'Microsoft.Authorization/roleAssignments',
  'Microsoft.CognitiveServices/accounts/deployments',
  'Microsoft.Insights/actionGroups',
  'Microsoft.Insights/metricAlerts',
  'Microsoft.Insights/scheduledQueryRules',
  'Microsoft.ManagedIdentity/userAssignedIdentities',
  'Microsoft.Network/networkSecurityGroups',
  'Microsoft.Network/privateDnsZones',
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
  'Microsoft.Network/privateEndpoints',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
  'Microsoft.Network/virtualNetworks',
  'Microsoft.Resources/resourceGroups',
  'Microsoft.Storage/storageAccounts/blobServices',
  'Microsoft.Storage/storageAccounts/blobServices/containers',
  'Microsoft.Web/serverfarms',
  'Microsoft.Web/sites/config',
]);

/** Local authentication is off everywhere, and network access is said, not left to a default. */
export function localAuth({ files }: Template): string[] {
  return [...files.values()].flatMap((file) => {
    const deployed = file.all('resource').filter(({ existing }) => !existing);
    return deployed.flatMap((resource) => missing(file, resource)).concat(publishing(file));
  });
}

function missing(file: BicepFile, { name, reference, value }: Declaration): string[] {
  const required = REQUIRED[reference];
  if (!required)
    return WITHOUT_LOCAL_AUTH.has(reference) ? [] : [`${file.name}: ${reference} is not known to this policy`];
  return required
    .filter(([path, expected]) => {
      const found = at(value, ...path.split('.'));
      return !found || (expected !== undefined && found.text !== expected);
    })
    .map(([path, expected]) => `${file.name}: ${name} must have ${path}${expected ? `: ${expected}` : ''}`);
}

/** Both doors for publishing with a password. */
function publishing(file: BicepFile): string[] {
  if (file.deploys('Microsoft.Web/sites').length === 0) return [];
  const policies = file.deploys('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  const closed = new Set(
    policies.flatMap(({ node }) => node.descendantsOfType('string').map((string) => text(string))),
  );
  return ['ftp', 'scm']
    .filter((door) => !closed.has(door))
    .map((door) => `${file.name}: publishing with a password is open at ${door}`);
}
