using '../../../../infra/main.bicep'

param environmentName = 'test'
param location = 'swedencentral'
param principalId = '22222222-2222-2222-2222-222222222222'
param instanceMemoryMB = 4096
param userAssignedIdentity = true
param existingModelAccountId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-models/providers/Microsoft.CognitiveServices/accounts/shared-models'
param secondModelLocation = 'eastus2'
param jobs = true
param imageContainers = 'https://photos.blob.core.windows.net/2026'
param privateNetworking = true
param signInClientId = '33333333-3333-3333-3333-333333333333'
param corsOrigins = 'https://a.example.com, https://b.example.com'
param alertEmail = 'operator@example.com'
param otlpEndpoint = 'http://collector.internal:4318'
