// All that one environment needs, in a group of its own. Each file beside this one holds one concern.
targetScope = 'subscription'

@description('Name of the azd environment; it names the resource group.')
param environmentName string

@description('Region of all resources. A GlobalStandard model answers from anywhere.')
param location string

@description('Object id of who deploys, from azd: may call the model too. Empty: the app alone may.')
param principalId string = ''
@allowed(['User', 'ServicePrincipal'])
param principalType string = 'User'

param nodeVersion string = '24'
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40
// A request holds its image (MAX_IMAGE_BYTES, 20 MiB) once, and twice while a body of unknown length is joined: 40 MiB.
// Host, Node and code take 512 MB; half of the rest is left to the garbage collector: (2048 - 512) / 2 / 40 = 19.
// Bodies of several images are held back by the app itself (MAX_INFLIGHT_BYTES).
@description('Requests at once on one instance.')
param httpConcurrency int = max(1, (instanceMemoryMB - 512) / 80)

@description('Use an identity that outlives the app.')
param userAssignedIdentity bool = false

@description('Resource id of an Azure OpenAI account that has modelDeploymentName. Empty: a new one.')
param existingModelAccountId string = ''
param modelDeploymentName string = 'vision'
param modelName string = 'gpt-5.4-mini'
param modelVersion string = '2026-03-17'
param modelSku string = 'GlobalStandard'
@description('Thousands of tokens per minute.')
param modelCapacity int = 30
@description('A second region for the model. Empty: none.')
param secondModelLocation string = ''

@description('Close storage and model to the internet; the app reaches them privately.')
param privateNetworking bool = false

@description('Client id of this app in Entra ID: callers sign in, with no function key. Empty: off.')
param signInClientId string = ''
@description('Client ids that may call, with commas between them. Empty: that one only.')
param allowedClientApplications string = ''

@description('Who is mailed when an alert fires. Empty: the portal shows it.')
param alertEmail string = ''
@description('Logs are taken up to so much a day.')
@minValue(1)
param dailyLogQuotaGB int = 1

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var groupName = 'rg-${environmentName}'
var siteName = 'func-${suffix}'
var twoRegions = !empty(secondModelLocation)
var ownModel = empty(existingModelAccountId)
var modelAccountName = ownModel ? 'oai-${suffix}' : last(split(existingModelAccountId, '/'))
var modelSubscription = ownModel ? subscription().subscriptionId : split(existingModelAccountId, '/')[2]
var modelGroup = ownModel ? groupName : split(existingModelAccountId, '/')[4]
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

module monitoring 'monitoring.bicep' = {
  scope: group
  params: { suffix: suffix, location: location, tags: tags, dailyQuotaGB: dailyLogQuotaGB }
}

module storage 'storage.bicep' = {
  scope: group
  params: { name: 'st${suffix}', location: location, tags: tags, closed: privateNetworking }
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
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    packagesUrl: storage.outputs.packagesUrl
    userAssignedIdentityId: userAssignedIdentity ? identity!.outputs.id : ''
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
  }
}

var appPrincipal = userAssignedIdentity ? identity!.outputs.principalId : app.outputs.principalId
var callers = concat([{ id: appPrincipal, type: 'ServicePrincipal' }], people)

module appAccess 'app-access.bicep' = {
  scope: group
  params: { principalId: appPrincipal, storageName: storage.outputs.name, insightsName: monitoring.outputs.insightsName }
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
    suffix: suffix
    location: location
    tags: tags
    networkId: network!.outputs.id
    storageId: storage.outputs.id
    modelIds: modelIds
  }
}

module signIn 'sign-in.bicep' = if (!empty(signInClientId)) {
  scope: group
  params: { siteName: siteName, clientId: signInClientId, allowedApplications: allowedClientApplications }
  dependsOn: [app]
}

module settings 'settings.bicep' = {
  scope: group
  params: {
    siteName: siteName
    storageName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
    modelEndpoint: modelAccess.outputs.endpoint
    modelDeployment: modelDeploymentName
    secondModelEndpoint: twoRegions ? secondRegion!.outputs.endpoint : ''
    httpAuthLevel: empty(signInClientId) ? 'function' : 'anonymous'
    identityClientId: userAssignedIdentity ? identity!.outputs.clientId : ''
  }
  dependsOn: [appAccess, privateAccess, signIn]
}

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    modelIds: modelIds
    email: alertEmail
  }
}

// azd keeps these and hands them to the hooks.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_OPENAI_ENDPOINT string = modelAccess.outputs.endpoint
output AZURE_OPENAI_DEPLOYMENT string = modelDeploymentName
output MODEL_OPEN_TO_DEVELOPER bool = !empty(principalId) && !privateNetworking
output SERVICE_API_ID string = app.outputs.id
output SERVICE_API_URI string = app.outputs.url
output SERVICE_API_SIGN_IN bool = !empty(signInClientId)
output RESOURCE_MANAGER string = environment().resourceManager
