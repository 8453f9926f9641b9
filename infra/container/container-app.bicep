// The app as a server on Azure Container Apps, beside a model account that is there:
//   az deployment group create -g GROUP -f infra/container/container-app.bicep -p environmentName=ENVIRONMENT registryName=REGISTRY ...
// The registry and the model are reached by the app's own identity; callers need a token, unless something in front checks them.
param location string = resourceGroup().location
param name string = 'keyless-vision'
@description('A Container Apps environment in this resource group.')
param environmentName string
@description('An Azure container registry in this resource group, which holds the image.')
param registryName string
@description('Repository and tag, such as keyless-vision-server:1.')
param image string
@description('An Azure OpenAI account in this resource group.')
param accountName string
param deploymentName string
@description('The application that callers ask a token for. Empty: something in front checks the callers.')
param authClientId string
@description('The client ids that may call. Empty: any that gets a token.')
param authAllowedClients string[] = []
@minValue(0)
param minReplicas int = 0
@minValue(1)
param maxReplicas int = 10

// AcrPull and Cognitive Services OpenAI User
var pullImages = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var modelUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'

var callers = empty(authClientId)
  ? [{ name: 'HTTP_AUTH_LEVEL', value: 'anonymous' }]
  : [
      { name: 'AUTH_TENANT_ID', value: tenant().tenantId }
      { name: 'AUTH_CLIENT_ID', value: authClientId }
      { name: 'AUTH_ALLOWED_CLIENTS', value: join(authAllowedClients, ',') }
    ]

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' existing = {
  name: environmentName
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: registryName
}

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

// User-assigned, because the image is pulled before a system-assigned identity exists.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, identity.id, pullImages)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', pullImages)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource ask 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identity.id, modelUser)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', modelUser)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    managedEnvironmentId: environment.id
    configuration: {
      ingress: { external: true, targetPort: 8080, transport: 'http', allowInsecure: false }
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      // DRAIN_SECONDS, and time for the last telemetry.
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'server'
          image: '${registry.properties.loginServer}/${image}'
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: concat(callers, [
            { name: 'AZURE_OPENAI_ENDPOINT', value: account.properties.endpoint }
            { name: 'AZURE_OPENAI_DEPLOYMENT', value: deploymentName }
            { name: 'AZURE_TOKEN_CREDENTIALS', value: 'ManagedIdentityCredential' }
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
          ])
          probes: [
            { type: 'Startup', httpGet: { path: '/api/health', port: 8080 }, periodSeconds: 1, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/api/health', port: 8080 }, periodSeconds: 10 }
            { type: 'Readiness', httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 12 }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        // Most of a request is waiting for the model. Measured with 1 GiB: 12 images of 20 MB are in progress, and more are 503.
        rules: [{ name: 'http', http: { metadata: { concurrentRequests: '12' } } }]
      }
    }
  }
  dependsOn: [pull, ask]
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
