using '../../../../infra/main.bicep'

param environmentName = 'test'
param location = 'swedencentral'
param instanceMemoryMB = 4096
