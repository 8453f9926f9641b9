// Switch secondModelLocation: the same model in another region, and the same callers.
import { ModelSpec } from 'model.bicep'
import { Caller } from 'model-access.bicep'

param name string
param location string
param tags object
param closed bool
param deploymentName string
param model ModelSpec
param callers Caller[]

module second 'model.bicep' = {
  params: { name: name, location: location, tags: tags, closed: closed, deploymentName: deploymentName, model: model }
}

module access 'model-access.bicep' = {
  params: { accountName: name, callers: callers }
  dependsOn: [second]
}

output id string = access.outputs.id
output endpoint string = access.outputs.endpoint
