// A function app on its Flex Consumption plan, which takes one app only. The app settings are in settings.bicep.
@export()
@description('What an app runs on.')
type InstanceSpec = {
  nodeVersion: string
  memoryMB: int
  maximumCount: int
  httpConcurrency: int
}

param name string
param location string
param tags object
@description('Name of the service in azure.yaml that azd deploys here.')
param service string
param instance InstanceSpec
@description('URL of the blob container for the deployed package.')
param packagesUrl string
@description('Empty: the app has an identity of its own.')
param userAssignedIdentityId string
@description('Empty: no virtual network.')
param subnetId string
@description('Origins separated by commas. Empty: none.')
param corsOrigins string

var systemAssigned = empty(userAssignedIdentityId)

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd deploys to the resource with this tag.
  tags: union(tags, { 'azd-service-name': service })
  kind: 'functionapp,linux'
  identity: systemAssigned
    ? { type: 'SystemAssigned' }
    : { type: 'UserAssigned', userAssignedIdentities: { '${userAssignedIdentityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      // Always written, so that emptying the parameter takes the origins away again.
      cors: { allowedOrigins: empty(corsOrigins) ? [] : map(split(corsOrigins, ','), origin => trim(origin)) }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: systemAssigned
            ? { type: 'SystemAssignedIdentity' }
            : { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: userAssignedIdentityId }
        }
      }
      runtime: { name: 'node', version: instance.nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instance.memoryMB
        maximumInstanceCount: instance.maximumCount
        triggers: { http: { perInstanceConcurrency: instance.httpConcurrency } }
      }
    }
  }
}

// Deploying with a user name and a password is off. azd deploys with a token.
// The service refuses these without a location ('The parameter location has an invalid value'), but its type has none:
// https://github.com/Azure/bicep-types-az/issues/1571
resource ftpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
}

resource scmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
}

output id string = site.id
output url string = 'https://${site.properties.defaultHostName}'
@description('Empty with a user-assigned identity.')
output principalId string = systemAssigned ? site.identity.principalId : ''
