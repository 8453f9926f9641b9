using '../../../../infra/main.bicep'

param environmentName = 'test'
param location = 'swedencentral'
param signInClientId = '33333333-3333-3333-3333-333333333333'
param allowedClientApplications = '55555555-5555-5555-5555-555555555555, 66666666-6666-6666-6666-666666666666'
