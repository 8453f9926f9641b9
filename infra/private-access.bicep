// Private networking (privateNetworking): storage and models get private addresses in the network.
param suffix string
param location string
param tags object
param networkId string
param storageId string
@description('Resource ids of the model accounts.')
param modelIds string[]

var subnetId = '${networkId}/subnets/endpoints'
// An account of kind OpenAI answers at the first, one of kind AIServices at any of them: the zones that
// https://learn.microsoft.com/azure/private-link/private-endpoint-dns names for Microsoft.CognitiveServices/accounts.
var modelZones = [
  'privatelink.openai.azure.com'
  'privatelink.cognitiveservices.azure.com'
  'privatelink.services.ai.azure.com'
]

module names 'private-dns.bicep' = {
  params: {
    zones: concat(modelZones, ['privatelink.blob.${environment().suffixes.storage}'])
    networkId: networkId
    tags: tags
  }
}

module models 'private-endpoint.bicep' = [
  for modelId in modelIds: {
    params: {
      name: 'pe-${last(split(modelId, '/'))}'
      location: location
      tags: tags
      targetId: modelId
      groupId: 'account'
      subnetId: subnetId
      zoneIds: take(names.outputs.zoneIds, length(modelZones))
    }
  }
]

module storage 'private-endpoint.bicep' = {
  params: {
    name: 'pe-blob-${suffix}'
    location: location
    tags: tags
    targetId: storageId
    groupId: 'blob'
    subnetId: subnetId
    zoneIds: skip(names.outputs.zoneIds, length(modelZones))
  }
}
