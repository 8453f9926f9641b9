// Who may do what with the storage of jobs (jobs): each identity on the containers and the queues that it needs, and
// nobody on the account.
import { Caller } from 'model-access.bicep'

param storageName string
@description('Name of the container and of the queue of jobs.')
param jobsName string
@description('Name of the container of images.')
param imagesName string
@description('Object id of the app that callers reach. It starts jobs and reads their results.')
param starterId string
@description('Object id of the app that works on jobs.')
param workerId string
@description('Who may put images into the container.')
param uploaders Caller[]

// Storage Blob Data Reader
var blobReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
// Storage Blob Data Contributor
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
// Storage Queue Data Reader
var queueReader = '19e7f393-937e-4f77-808e-94535e297925'
// Storage Queue Data Message Sender
var queueSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
// Storage Queue Data Contributor
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'

var onImages = concat(
  [
    { id: starterId, type: 'ServicePrincipal', role: blobReader }
    { id: workerId, type: 'ServicePrincipal', role: blobReader }
  ],
  map(uploaders, uploader => { id: uploader.id, type: uploader.type, role: blobContributor })
)

var onQueue = [
  { id: starterId, role: queueSender }
  // The readiness check asks whether the queue is there.
  { id: starterId, role: queueReader }
  // The roles that Microsoft names for a trigger (Reader, Message Processor) do not let it hide a message for longer:
  // https://github.com/MicrosoftDocs/azure-docs/issues/120932
  { id: workerId, role: queueContributor }
]

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource jobs 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobService
  name: jobsName
}

resource images 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobService
  name: imagesName
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  parent: queueService
  name: jobsName
}

resource poisonQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  parent: queueService
  name: '${jobsName}-poison'
}

resource keepJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in [starterId, workerId]: {
    name: guid(jobs.id, id, blobContributor)
    scope: jobs
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobContributor)
      principalId: id
      principalType: 'ServicePrincipal'
    }
  }
]

resource useImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in onImages: {
    name: guid(images.id, each.id, each.role)
    scope: images
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
      principalId: each.id
      principalType: each.type
    }
  }
]

resource useQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in onQueue: {
    name: guid(queue.id, each.id, each.role)
    scope: queue
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
      principalId: each.id
      principalType: 'ServicePrincipal'
    }
  }
]

// The host of the worker moves a message there if it fails too often.
resource giveUp 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(poisonQueue.id, workerId, queueSender)
  scope: poisonQueue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueSender)
    principalId: workerId
    principalType: 'ServicePrincipal'
  }
}
