using '../../../../infra/main.bicep'

param environmentName = 'test'
param location = 'swedencentral'
param existingModelAccountId = '/subscriptions/44444444-4444-4444-4444-444444444444/resourceGroups/rg-models/providers/Microsoft.CognitiveServices/accounts/shared-models'
param privateNetworking = true
param alertEmail = 'operator@example.com'
