// Private networking (privateNetworking): storage and models get private addresses in the network.
@export()
@description('A service of a storage account.')
type StorageService = {
  accountId: string
  service: 'blob' | 'queue'
}

param location string
param tags object
param networkId string
param storage StorageService[]
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

// Each service once, in the order of its zone below.
var storageServices = union(map(storage, each => each.service), [])

module names 'private-dns.bicep' = {
  params: {
    zones: concat(
      modelZones,
      map(storageServices, service => 'privatelink.${service}.${environment().suffixes.storage}')
    )
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

module storageEndpoints 'private-endpoint.bicep' = [
  for each in storage: {
    params: {
      name: 'pe-${each.service}-${last(split(each.accountId, '/'))}'
      location: location
      tags: tags
      targetId: each.accountId
      groupId: each.service
      subnetId: subnetId
      zoneIds: [names.outputs.zoneIds[length(modelZones) + indexOf(storageServices, each.service)]]
    }
  }
]
