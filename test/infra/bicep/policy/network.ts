import { BlockList, isIP } from 'node:net';
import { at, type Deployment, list } from '../deployment.ts';

/** From this API version on, a new subnet has no outbound internet access by default. */
const SUBNETS_BECOME_PRIVATE = '2025-07-01';
/** The zones of https://learn.microsoft.com/azure/private-link/private-endpoint-dns for each kind of target. */
const ZONES: Readonly<Record<string, readonly string[]>> = {
  account: [
    'privatelink.cognitiveservices.azure.com',
    'privatelink.openai.azure.com',
    'privatelink.services.ai.azure.com',
  ],
  blob: ['privatelink.blob.STORAGE'],
  queue: ['privatelink.queue.STORAGE'],
};

/** Checks that private networking gives all storage and models private endpoints, and that DNS resolves to them. */
export function network(deployment: Deployment): string[] {
  if (!deployment.case.privateNetworking) return [];
  const targets = [
    ...deployment.services.map((service) => `${deployment.hostStorage(service).id} blob`),
    ...(deployment.case.jobs ? ['blob', 'queue'].map((part) => `${deployment.jobsStorage.id} ${part}`) : []),
    ...deployment.models.map((model) => `${model} account`),
  ];
  return [...endpoints(deployment, targets), ...names(deployment), ...subnets(deployment)];
}

function endpoints(deployment: Deployment, targets: readonly string[]): string[] {
  const found = deployment.all('Microsoft.Network/privateEndpoints').flatMap((endpoint) =>
    list(endpoint, 'properties.privateLinkServiceConnections').map((connection) => {
      const groups = list(connection, 'properties.groupIds').join();
      return `${String(at(connection, 'properties.privateLinkServiceId'))} ${groups}`;
    }),
  );
  return found.toSorted().join() === targets.toSorted().join()
    ? []
    : [`private endpoints lead to ${found.join(' and ')}`];
}

function names(deployment: Deployment): string[] {
  return deployment.all('Microsoft.Network/privateEndpoints/privateDnsZoneGroups').flatMap((group) => {
    const zones = list(group, 'properties.privateDnsZoneConfigs').map((config) =>
      zoneName(String(at(config, 'properties.privateDnsZoneId'))),
    );
    const [, service = 'account'] = /^pe-(blob|queue)-/.exec(group.name) ?? [];
    const expected = ZONES[service] ?? [];
    const right = zones.toSorted().join() === expected.join();
    const wrong = right ? [] : [`${group.name} uses the DNS zones ${zones.join() || '(none)'}`];
    return wrong.concat(unlinked(deployment, zones));
  });
}

function unlinked(deployment: Deployment, zones: readonly string[]): string[] {
  const links = deployment.all('Microsoft.Network/privateDnsZones/virtualNetworkLinks');
  const linked = new Set(links.map(({ name }) => zoneName(name.replace(/\/network\b/, ''))));
  return zones.filter((zone) => !linked.has(zone)).map((zone) => `the network is not linked to ${zone}`);
}

/** Extracts a zone's name from a resource id, a name, or an expression (if the zone's name depends on the cloud). */
function zoneName(text: string): string {
  const [, service] = /privatelink\.(?:\{0\}.*')?(blob|queue)\b/.exec(text) ?? [];
  if (service) return `privatelink.${service}.STORAGE`;
  return /privatelink\.[\w.]+/.exec(text)?.[0] ?? text;
}

function subnets(deployment: Deployment): string[] {
  const { apiVersion, properties } = deployment.only('Microsoft.Network/virtualNetworks');
  const [app, ofEndpoints] = ['app', 'endpoints'].map((name) =>
    list(properties, 'subnets').find((subnet) => at(subnet, 'name') === name),
  );
  const services = list(app, 'properties.delegations').map((delegation) => at(delegation, 'properties.serviceName'));
  const policies = at(ofEndpoints, 'properties.privateEndpointNetworkPolicies');
  const wayOut = at(app, 'properties.defaultOutboundAccess') === true || apiVersion < SUBNETS_BECOME_PRIVATE;
  return [
    ...(services.join() === 'Microsoft.App/environments'
      ? []
      : [`the app's subnet is delegated to ${services.join()}`]),
    ...(wayOut ? [] : ["the app's subnet has no outbound internet access"]),
    ...(policies === 'NetworkSecurityGroupEnabled' || policies === 'Enabled'
      ? []
      : [`security rules do not apply to private endpoints: ${String(policies)}`]),
    ...(at(ofEndpoints, 'properties.networkSecurityGroup.id') ? [] : ["the endpoints' subnet has no security rules"]),
    ...ranges(properties, prefixOf(app), prefixOf(ofEndpoints)),
    ...guard(deployment, prefixOf(app), prefixOf(ofEndpoints)),
  ];
}

function prefixOf(subnet: unknown): string {
  return String(at(subnet, 'properties.addressPrefix'));
}

/** Checks that the subnets are inside the network and do not overlap. */
function ranges(whole: unknown, app: string, ofEndpoints: string): string[] {
  const spaces = list(whole, 'addressSpace.addressPrefixes').map(String);
  const outside = [app, ofEndpoints].filter((subnet) => !spaces.some((space) => contains(space, subnet)));
  return [
    ...outside.map((subnet) => `the subnet ${subnet} is outside ${spaces.join()}`),
    ...(contains(app, ofEndpoints) || contains(ofEndpoints, app) ? [`${app} and ${ofEndpoints} overlap`] : []),
  ];
}

/** Returns whether `range` contains the first address of `other`. Both are in CIDR notation. */
function contains(range: string, other: string): boolean {
  const [address = '', bits] = range.split('/');
  const [first = ''] = other.split('/');
  if (isIP(address) !== 4 || isIP(first) !== 4) return false;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits));
  return addresses.check(first);
}

/** Checks that the security rules allow only HTTPS from the app's subnet. */
function guard(deployment: Deployment, app: string, ofEndpoints: string): string[] {
  const fields = [
    'direction',
    'access',
    'protocol',
    'sourceAddressPrefix',
    'destinationAddressPrefix',
    'destinationPortRange',
  ];
  const rules = list(deployment.only('Microsoft.Network/networkSecurityGroups'), 'properties.securityRules')
    .map((rule) => at(rule, 'properties'))
    .toSorted((one, other) => Number(at(one, 'priority')) - Number(at(other, 'priority')))
    .map((rule) => fields.map((key) => at(rule, key)).join());
  const expected = [`Inbound,Allow,Tcp,${app},${ofEndpoints},443`, 'Inbound,Deny,*,*,*,*'];
  return rules.join(' ') === expected.join(' ') ? [] : [`the security rules are ${rules.join(' ')}`];
}
