// The function app on its Flex Consumption plan; a plan takes one app only. Its settings are in settings.bicep.
param name string
param location string
param tags object
param nodeVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param httpConcurrency int
@description('URL of the blob container for the deployed package.')
param packagesUrl string
@description('Empty: the app has an identity of its own.')
param userAssignedIdentityId string
@description('Empty: no virtual network.')
param subnetId string

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
  // azd deploys to whatever has this tag; the name is the service's in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: systemAssigned
    ? { type: 'SystemAssigned' }
    : { type: 'UserAssigned', userAssignedIdentities: { '${userAssignedIdentityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2' }
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
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }
}

// Deploying with a user name and a password is off; azd deploys with a token.
resource basicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [for door in ['ftp', 'scm']: {
  parent: site
  name: door
  properties: { allow: false }
}]

output id string = site.id
output url string = 'https://${site.properties.defaultHostName}'
@description('Empty with a user-assigned identity.')
output principalId string = systemAssigned ? site.identity.principalId : ''
