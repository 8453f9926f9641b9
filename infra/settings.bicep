// The app's settings. They come last: writing them restarts the app, which by then has its roles and its guard.
param siteName string
param storageName string
param insightsName string
param modelEndpoint string
param modelDeployment string
@description('Empty: there is no second region.')
param secondModelEndpoint string
param httpAuthLevel 'function' | 'anonymous'
@description('Client id of a user-assigned identity. Empty: the app\'s own.')
param identityClientId string

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

var aad = 'Authorization=AAD'
var own = empty(identityClientId)

var always = {
  AZURE_OPENAI_ENDPOINT: modelEndpoint
  AZURE_OPENAI_DEPLOYMENT: modelDeployment
  HTTP_AUTH_LEVEL: httpAuthLevel
  // Nothing else is asked, and nothing else is loaded: the other ways of signing in are a third of what does it.
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  // It says where telemetry goes. It lets nobody in: local authentication is off, and the next line signs in.
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: own ? aad : 'ClientId=${identityClientId};${aad}'
}

var userAssigned = {
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__clientId: identityClientId
}

var secondRegion = {
  AZURE_OPENAI_ENDPOINT_2: secondModelEndpoint
  AZURE_OPENAI_DEPLOYMENT_2: modelDeployment
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(always, own ? {} : userAssigned, empty(secondModelEndpoint) ? {} : secondRegion)
}
