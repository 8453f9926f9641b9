// The app settings. They come last: writing them restarts the app, which then has its roles and its sign-in.
@export()
@description('What both apps are told.')
type CommonSettings = {
  insightsName: string
  modelEndpoint: string
  modelDeployment: string
  twoRegions: bool
  @description('Empty without a second region.')
  secondModelEndpoint: string
  requestBodyLimitMiB: int
  @description('What all requests of one instance may hold in Node.')
  inflightMiB: int
  @description('Empty: no collector.')
  otlpEndpoint: string
  @description('URLs of blob containers, separated by commas. Empty: none.')
  imageContainers: string
  @description('Name of the account with the container and the queue of jobs. Empty: no jobs.')
  jobsStorageName: string
}

param siteName string
@description('The account with the notes of this app\'s host.')
param storageName string
param common CommonSettings
param httpAuthLevel 'function' | 'anonymous'
param userAssignedIdentity bool
@description('Client id of the user-assigned identity. Empty without one.')
param identityClientId string
@description('Whether this app takes the messages of jobs.')
param isWorker bool
@description('URL of the queues of the account for jobs. Empty without jobs.')
param jobsQueueUrl string

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: common.insightsName
}

var aad = 'Authorization=AAD'
var mebibyte = 1048576

var always = {
  AZURE_OPENAI_ENDPOINT: common.modelEndpoint
  AZURE_OPENAI_DEPLOYMENT: common.modelDeployment
  IMAGE_CONTAINERS: common.imageContainers
  HTTP_AUTH_LEVEL: httpAuthLevel
  // Only the managed identity is asked, so the code of the other credentials is not loaded.
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  // Says where telemetry goes and opens nothing: local authentication is off, and the next setting signs in.
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: userAssignedIdentity ? 'ClientId=${identityClientId};${aad}' : aad
  // One number for both, so that a body is refused by the app, with a 413 that says why, up to the host's own limit.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(common.requestBodyLimitMiB * mebibyte)
  MAX_BODY_BYTES: string(common.requestBodyLimitMiB * mebibyte)
  MAX_INFLIGHT_BYTES: string(common.inflightMiB * mebibyte)
}

var userAssigned = {
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__clientId: identityClientId
}

// Read by the app. The app that callers reach needs no more: it writes messages, and without JOBS_WORKER has no trigger.
var jobs = { JOBS_STORAGE_ACCOUNT: common.jobsStorageName }

// JobsStorage is the connection of the queue trigger. By default its host gives up after some 25 seconds without storage,
// and ends the app with it; these retries last for half an hour.
var worker = {
  JOBS_WORKER: 'on'
  JobsStorage__queueServiceUri: jobsQueueUrl
  JobsStorage__credential: 'managedidentity'
  JobsStorage__retry__maxRetries: '200'
  JobsStorage__retry__maxDelay: '00:00:10'
}

var secondRegion = {
  AZURE_OPENAI_ENDPOINT_2: common.secondModelEndpoint
  AZURE_OPENAI_DEPLOYMENT_2: common.modelDeployment
}

// The host exports its spans only over http/protobuf. The app follows the same variable, so both parts of a trace arrive.
var collector = {
  OTEL_EXPORTER_OTLP_ENDPOINT: common.otlpEndpoint
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf'
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(
    always,
    userAssignedIdentity ? userAssigned : {},
    empty(common.jobsStorageName) ? {} : jobs,
    isWorker ? worker : {},
    isWorker && userAssignedIdentity ? { JobsStorage__clientId: identityClientId } : {},
    common.twoRegions ? secondRegion : {},
    empty(common.otlpEndpoint) ? {} : collector
  )
}
