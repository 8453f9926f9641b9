// Sign-in of callers (signInClientId). The platform checks tokens and never asks for one, so no secret is needed.
// The setting is always written: without it, an app that had sign-in on would keep it on, and answer 401 to everybody.
param siteName string
@description('Empty: sign-in is off.')
param clientId string
@description('Client ids separated by commas. Empty: only clientId.')
param allowedApplications string

var on = !empty(clientId)
var callers = empty(allowedApplications) ? clientId : allowedApplications

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName
}

resource signIn 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: on }
    globalValidation: {
      requireAuthentication: on
      unauthenticatedClientAction: on ? 'Return401' : 'AllowAnonymous'
      // The routes that need no key need no token either.
      excludedPaths: ['/api/health', '/api/openapi.json', '/api/playground']
    }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: {
      azureActiveDirectory: {
        enabled: on
        registration: {
          clientId: on ? clientId : null
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: on ? [clientId, 'api://${clientId}'] : []
          defaultAuthorizationPolicy: {
            allowedApplications: on ? map(split(callers, ','), caller => trim(caller)) : []
          }
        }
      }
    }
  }
}
