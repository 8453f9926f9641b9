using '../../../../infra/container/container-app.bicep'

param environmentName = 'environment'
param registryName = 'registry'
param image = 'keyless-vision-server:1'
param accountName = 'shared-models'
param deploymentName = 'vision'
param authClientId = '33333333-3333-3333-3333-333333333333'
param authAllowedClients = ['55555555-5555-5555-5555-555555555555']
