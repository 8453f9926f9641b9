// The app settings. They come last: writing them restarts the app, which then has its roles and its sign-in.
param siteName string
param storageName string
param insightsName string
param modelEndpoint string
param modelDeployment string
param twoRegions bool
@description('Empty without a second region.')
param secondModelEndpoint string
param httpAuthLevel 'function' | 'anonymous'
param userAssignedIdentity bool
@description('Client id of the user-assigned identity. Empty without one.')
param identityClientId string
param requestBodyLimitMiB int
@description('What all requests of one instance may hold in Node.')
param inflightMiB int
@description('Empty: no collector.')
param otlpEndpoint string

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

var aad = 'Authorization=AAD'
var mebibyte = 1048576

var always = {
  AZURE_OPENAI_ENDPOINT: modelEndpoint
  AZURE_OPENAI_DEPLOYMENT: modelDeployment
  HTTP_AUTH_LEVEL: httpAuthLevel
  // Only the managed identity is asked, so the code of the other credentials is not loaded.
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  // Says where telemetry goes and opens nothing: local authentication is off, and the next setting signs in.
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: userAssignedIdentity ? 'ClientId=${identityClientId};${aad}' : aad
  // One number for both, so that a body is refused by the app, with a 413 that says why, up to the host's own limit.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(requestBodyLimitMiB * mebibyte)
  MAX_BODY_BYTES: string(requestBodyLimitMiB * mebibyte)
  MAX_INFLIGHT_BYTES: string(inflightMiB * mebibyte)
}

var userAssigned = {
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__clientId: identityClientId
}

var secondRegion = {
  AZURE_OPENAI_ENDPOINT_2: secondModelEndpoint
  AZURE_OPENAI_DEPLOYMENT_2: modelDeployment
}

// The host exports its spans only over http/protobuf. The app follows the same variable, so both parts of a trace arrive.
var collector = {
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf'
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(
    always,
    userAssignedIdentity ? userAssigned : {},
    twoRegions ? secondRegion : {},
    empty(otlpEndpoint) ? {} : collector
  )
}
