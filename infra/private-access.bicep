// Switch privateNetworking: storage and models get private addresses in the network.
param suffix string
param location string
param tags object
param networkId string
param storageId string
@description('Resource ids of the model accounts.')
param modelIds string[]

var subnetId = '${networkId}/subnets/endpoints'

module names 'private-dns.bicep' = {
  params: {
    zones: ['privatelink.openai.azure.com', 'privatelink.blob.${environment().suffixes.storage}']
    networkId: networkId
    tags: tags
  }
}

module models 'private-endpoint.bicep' = [for modelId in modelIds: {
  params: {
    name: 'pe-${last(split(modelId, '/'))}'
    location: location
    tags: tags
    targetId: modelId
    groupId: 'account'
    subnetId: subnetId
    zoneId: names.outputs.zoneIds[0]
  }
}]

module storage 'private-endpoint.bicep' = {
  params: {
    name: 'pe-blob-${suffix}'
    location: location
    tags: tags
    targetId: storageId
    groupId: 'blob'
    subnetId: subnetId
    zoneId: names.outputs.zoneIds[1]
  }
}
