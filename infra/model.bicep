// An Azure OpenAI account that takes tokens only, and the deployment that is asked about images.
@export()
@description('Capacity is in thousands of tokens per minute.')
type ModelSpec = {
  name: string
  version: string
  sku: string
  capacity: int
}

param name string
param location string
param tags object
@description('No access but through a private endpoint.')
param closed bool
param deploymentName string
param model ModelSpec

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    // Regional endpoints take keys only; a subdomain of its own takes tokens.
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: closed ? 'Deny' : 'Allow' }
  }
}

resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = {
  parent: account
  name: deploymentName
  sku: { name: model.sku, capacity: model.capacity }
  properties: {
    model: { format: 'OpenAI', name: model.name, version: model.version }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}
