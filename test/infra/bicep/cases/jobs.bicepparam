using '../../../../infra/main.bicep'

param environmentName = 'test'
param location = 'swedencentral'
param principalId = '22222222-2222-2222-2222-222222222222'
param jobs = true
