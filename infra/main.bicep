// Everything that one environment needs, in a resource group of its own. Each file beside this one has one subject.
targetScope = 'subscription'

import { InstanceSpec } from 'app.bicep'
import { CommonSettings } from 'settings.bicep'

@description('Name of the azd environment. It names the resource group.')
param environmentName string

// Regions that are known to offer Flex Consumption. Nobody checked them against the model's regions. To check them, see
// az functionapp list-flexconsumption-locations, and the Global Standard table of
// https://learn.microsoft.com/azure/foundry/foundry-models/concepts/models-sold-directly-by-azure-region-availability
@description('Region of all resources. A GlobalStandard model is served from anywhere.')
@metadata({ azd: { type: 'location' } })
@allowed([
  'australiaeast'
  'brazilsouth'
  'canadacentral'
  'centralus'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'westeurope'
  'westus'
  'westus3'
])
param location string

@description('Object id of the person or pipeline that deploys, from azd. It may call the model too. Empty: only the app may.')
param principalId string = ''
@allowed(['User', 'ServicePrincipal'])
param principalType string = 'User'

param nodeVersion string = '24'
// 512 MB is not offered: the Functions host, Node and the code take about 500 MB before the first request.
@allowed([2048, 4096])
param instanceMemoryMB int = 2048
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

// 48 MiB holds one image of 20 MiB as JSON (28 MiB) and leaves room to answer 413 for a larger image.
// Above the limit the host answers 500 itself, before the app sees the request.
@description('Largest request body, in MiB. The host (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT) and the app (MAX_BODY_BYTES) both use it.')
@minValue(1)
@maxValue(100)
param requestBodyLimitMiB int = 48

// Concurrency = (memory - 500 MB) / (5 x body limit): 6 at 2,048 MB and 14 at 4,096 MB.
// The 5: the host reads a body with a Content-Length whole, into a string of its own, and takes 4 times its size
// (6 bodies of 50 MB: from 148 to 1,375 MB), and Node holds it once more. Measured with host 4.1037 on 2026-11-26.
// Raise it where images are small, where clients send Transfer-Encoding: chunked (the host then holds nothing), or where
// images come from blobs. The app itself refuses what would be too much (MAX_INFLIGHT_BYTES, the same fifth).
@description('Requests at the same time on one instance.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = max(1, (instanceMemoryMB - 500) / (5 * requestBodyLimitMiB))

@description('Use a managed identity that outlives the app.')
param userAssignedIdentity bool = false

@description('Resource id of an Azure OpenAI account that has modelDeploymentName. Empty: a new one.')
param existingModelAccountId string = ''
param modelDeploymentName string = 'vision'
param modelName string = 'gpt-5.6-luna'
param modelVersion string = '2026-07-09'
param modelSku string = 'GlobalStandard'
@description('Thousands of tokens per minute.')
param modelCapacity int = 30
@description('A second region for the model. Empty: none.')
param secondModelLocation string = ''

@description('Answer about many images in the background: a second function app, and storage for jobs and images.')
param jobs bool = false
@description('URLs of blob containers that images may be read from, separated by commas. Empty: none of your own.')
param imageContainers string = ''

@description('Close storage and model to the internet. The app reaches them through private endpoints.')
param privateNetworking bool = false

@description('Client id of this app in Entra ID. Callers then sign in and need no function key. Empty: off.')
param signInClientId string = ''
@description('Client ids that may call, separated by commas. Empty: only signInClientId.')
param allowedClientApplications string = ''
@description('Origins whose pages may call the app from a browser, separated by commas. Empty: none.')
param corsOrigins string = ''

@description('Who gets a mail when an alert fires. Empty: nobody, the portal shows it.')
param alertEmail string = ''
@description('Log Analytics stops taking logs after this much in a day.')
@minValue(1)
param dailyLogQuotaGB int = 1
@description('OTLP endpoint of a collector that takes http/protobuf. Empty: telemetry goes to Application Insights only.')
param otlpEndpoint string = ''

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var groupName = 'rg-${environmentName}'
var siteName = 'func-${suffix}'
var jobsSiteName = 'func-jobs-${suffix}'
// JOBS in src/config/storage.ts. The host adds -poison for the messages that it gives up.
var jobsName = 'vision-jobs'
var imagesName = 'images'
var packagesName = 'packages'
var instance InstanceSpec = {
  nodeVersion: nodeVersion
  memoryMB: instanceMemoryMB
  maximumCount: maximumInstanceCount
  httpConcurrency: httpConcurrency
}
var twoRegions = !empty(secondModelLocation)
var ownModel = empty(existingModelAccountId)
var modelAccountName = ownModel ? 'oai-${suffix}' : last(split(existingModelAccountId, '/'))
var modelSubscription = ownModel ? subscription().subscriptionId : split(existingModelAccountId, '/')[2]
var modelGroup = ownModel ? groupName : split(existingModelAccountId, '/')[4]
// An existing account may belong to another subscription.
var modelElsewhere = modelSubscription != subscription().subscriptionId
var modelSpec = { name: modelName, version: modelVersion, sku: modelSku, capacity: modelCapacity }
var people = empty(principalId) ? [] : [{ id: principalId, type: principalType }]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'identity.bicep' = if (userAssignedIdentity) {
  scope: group
  params: { name: 'id-${suffix}', location: location, tags: tags }
}

module jobsIdentity 'identity.bicep' = if (jobs && userAssignedIdentity) {
  scope: group
  params: { name: 'id-jobs-${suffix}', location: location, tags: tags }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: { suffix: suffix, location: location, tags: tags, dailyQuotaGB: dailyLogQuotaGB }
}

// What the Functions host needs: a place for the deployed package and for its own notes, function keys among them. Its role
// is on the whole account, so each app has one.
module storage 'storage.bicep' = {
  scope: group
  params: {
    name: 'st${suffix}'
    location: location
    tags: tags
    closed: privateNetworking
    containers: [packagesName]
  }
}

module jobsHostStorage 'storage.bicep' = if (jobs) {
  scope: group
  params: {
    name: 'sthost${suffix}'
    location: location
    tags: tags
    closed: privateNetworking
    containers: [packagesName]
  }
}

module jobsStorage 'storage.bicep' = if (jobs) {
  scope: group
  params: {
    name: 'stjobs${suffix}'
    location: location
    tags: tags
    closed: privateNetworking
    containers: [jobsName, imagesName]
    queues: [jobsName, '${jobsName}-poison']
  }
}

module model 'model.bicep' = if (ownModel) {
  scope: group
  params: {
    name: modelAccountName
    location: location
    tags: tags
    closed: privateNetworking
    deploymentName: modelDeploymentName
    model: modelSpec
  }
}

module network 'network.bicep' = if (privateNetworking) {
  scope: group
  params: { suffix: suffix, location: location, tags: tags }
}

module app 'app.bicep' = {
  scope: group
  params: {
    name: siteName
    location: location
    tags: tags
    service: 'api'
    instance: instance
    packagesUrl: '${storage.outputs.blobUrl}${packagesName}'
    userAssignedIdentityId: userAssignedIdentity ? identity!.outputs.id : ''
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    corsOrigins: corsOrigins
  }
}

// The same package works on jobs in an app of its own: storage that refuses or is gone ends a host that has a queue trigger,
// and with it everything that this host serves.
module jobsApp 'app.bicep' = if (jobs) {
  scope: group
  params: {
    name: jobsSiteName
    location: location
    tags: tags
    service: 'jobs'
    instance: instance
    packagesUrl: '${jobsHostStorage!.outputs.blobUrl}${packagesName}'
    userAssignedIdentityId: userAssignedIdentity ? jobsIdentity!.outputs.id : ''
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    corsOrigins: ''
  }
}

var appPrincipal = userAssignedIdentity ? identity!.outputs.principalId : app.outputs.principalId
var jobsPrincipal = userAssignedIdentity ? jobsIdentity!.outputs.principalId : jobsApp!.outputs.principalId
var callers = concat(
  [{ id: appPrincipal, type: 'ServicePrincipal' }],
  jobs ? [{ id: jobsPrincipal, type: 'ServicePrincipal' }] : [],
  people
)

module appAccess 'app-access.bicep' = {
  scope: group
  params: {
    principalId: appPrincipal
    storageName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module jobsAppAccess 'app-access.bicep' = if (jobs) {
  scope: group
  params: {
    principalId: jobsPrincipal
    storageName: jobsHostStorage!.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module jobsAccess 'jobs-access.bicep' = if (jobs) {
  scope: group
  params: {
    storageName: jobsStorage!.outputs.name
    jobsName: jobsName
    imagesName: imagesName
    starterId: appPrincipal
    workerId: jobsPrincipal
    uploaders: people
  }
}

module modelAccess 'model-access.bicep' = {
  scope: resourceGroup(modelSubscription, modelGroup)
  params: { accountName: modelAccountName, callers: callers }
  dependsOn: [model]
}

module secondRegion 'second-region.bicep' = if (twoRegions) {
  scope: group
  params: {
    name: 'oai2-${suffix}'
    location: secondModelLocation
    tags: tags
    closed: privateNetworking
    deploymentName: modelDeploymentName
    model: modelSpec
    callers: callers
  }
}

var modelIds = concat([modelAccess.outputs.id], twoRegions ? [secondRegion!.outputs.id] : [])

module privateAccess 'private-access.bicep' = if (privateNetworking) {
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network!.outputs.id
    storage: concat(
      [{ accountId: storage.outputs.id, service: 'blob' }],
      jobs
        ? [
            { accountId: jobsHostStorage!.outputs.id, service: 'blob' }
            { accountId: jobsStorage!.outputs.id, service: 'blob' }
            { accountId: jobsStorage!.outputs.id, service: 'queue' }
          ]
        : []
    )
    modelIds: modelIds
  }
}

module signIn 'sign-in.bicep' = {
  scope: group
  params: { siteName: siteName, clientId: signInClientId, allowedApplications: allowedClientApplications }
  dependsOn: [app]
}

var common CommonSettings = {
  insightsName: monitoring.outputs.insightsName
  modelEndpoint: modelAccess.outputs.endpoint
  modelDeployment: modelDeploymentName
  twoRegions: twoRegions
  secondModelEndpoint: twoRegions ? secondRegion!.outputs.endpoint : ''
  requestBodyLimitMiB: requestBodyLimitMiB
  inflightMiB: (instanceMemoryMB - 500) / 5
  otlpEndpoint: otlpEndpoint
  imageContainers: join(
    concat(
      jobs ? ['${jobsStorage!.outputs.blobUrl}${imagesName}'] : [],
      empty(imageContainers) ? [] : [imageContainers]
    ),
    ','
  )
  jobsStorageName: jobs ? jobsStorage!.outputs.name : ''
}

module settings 'settings.bicep' = {
  scope: group
  params: {
    siteName: siteName
    storageName: storage.outputs.name
    common: common
    httpAuthLevel: empty(signInClientId) ? 'function' : 'anonymous'
    userAssignedIdentity: userAssignedIdentity
    identityClientId: userAssignedIdentity ? identity!.outputs.clientId : ''
    isWorker: false
    jobsQueueUrl: ''
  }
  dependsOn: [appAccess, jobsAccess, privateAccess, signIn]
}

// Nobody calls this app, so it has no sign-in: its routes ask for its own function keys.
module jobsSettings 'settings.bicep' = if (jobs) {
  scope: group
  params: {
    siteName: jobsSiteName
    storageName: jobsHostStorage!.outputs.name
    common: common
    httpAuthLevel: 'function'
    userAssignedIdentity: userAssignedIdentity
    identityClientId: userAssignedIdentity ? jobsIdentity!.outputs.clientId : ''
    isWorker: true
    jobsQueueUrl: jobsStorage!.outputs.queueUrl
  }
  dependsOn: [jobsAppAccess, jobsAccess, privateAccess]
}

module mail 'mail.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: { suffix: suffix, tags: tags, email: alertEmail }
}

// An alert rule takes action groups of its own subscription only.
module mailElsewhere 'mail.bicep' = if (!empty(alertEmail) && modelElsewhere) {
  scope: resourceGroup(modelSubscription, modelGroup)
  params: { suffix: suffix, tags: tags, email: alertEmail }
}

module failures 'failures.bicep' = {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: mail.?outputs.id ?? ''
  }
}

module poison 'poison.bicep' = if (jobs) {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    queueName: '${jobsName}-poison'
    actionGroupId: mail.?outputs.id ?? ''
  }
}

// Beside an account of another subscription, since a metric alert on it may be refused from here. azd down leaves it there.
module throttling 'throttling.bicep' = {
  scope: resourceGroup(modelSubscription, modelElsewhere ? modelGroup : groupName)
  params: {
    name: 'throttling-${suffix}'
    tags: tags
    modelId: modelAccess.outputs.id
    actionGroupId: (modelElsewhere ? mailElsewhere.?outputs.id : mail.?outputs.id) ?? ''
  }
}

module secondThrottling 'throttling.bicep' = if (twoRegions) {
  scope: group
  params: {
    name: 'throttling-2-${suffix}'
    tags: tags
    modelId: secondRegion!.outputs.id
    actionGroupId: mail.?outputs.id ?? ''
  }
}

// azd stores these and passes them to the hooks.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_OPENAI_ENDPOINT string = modelAccess.outputs.endpoint
output AZURE_OPENAI_DEPLOYMENT string = modelDeploymentName
output MODEL_OPEN_TO_DEVELOPER bool = !empty(principalId) && !privateNetworking
output SERVICE_API_ID string = app.outputs.id
output SERVICE_API_URI string = app.outputs.url
output SERVICE_API_SIGN_IN bool = !empty(signInClientId)
output SERVICE_JOBS_ID string = jobs ? jobsApp!.outputs.id : ''
output SERVICE_JOBS_URI string = jobs ? jobsApp!.outputs.url : ''
output JOBS_STORAGE_ACCOUNT string = jobs ? jobsStorage!.outputs.name : ''
// Object ids of the apps' identities, separated by spaces: who needs a role on containers of your own.
output APP_PRINCIPAL_IDS string = jobs ? '${appPrincipal} ${jobsPrincipal}' : appPrincipal
output RESOURCE_MANAGER string = environment().resourceManager
