// Switch signInClientId: callers bring a token of Entra ID. Tokens are checked, never asked for, so no secret is needed.
param siteName string
param clientId string
@description('Client ids with commas between them. Empty: clientId only.')
param allowedApplications string

var callers = empty(allowedApplications) ? clientId : allowedApplications

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName
}

resource signIn 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: ['/api/health']
    }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [clientId, 'api://${clientId}']
          defaultAuthorizationPolicy: {
            allowedApplications: map(split(callers, ','), caller => trim(caller))
          }
        }
      }
    }
  }
}
