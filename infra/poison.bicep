// Alert: a message of a job has failed too often, and went to the poison queue.
// It counts the host's own line about each such message. The storage account has a metric too, but that is the sum of all
// its queues, once an hour, so a job that is running would set it off.
param suffix string
param location string
param tags object
param workspaceId string
param queueName string
@description('Empty: nobody gets a mail.')
param actionGroupId string

resource poison 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = {
  name: 'poison-${suffix}'
  location: location
  tags: tags
  properties: {
    displayName: 'Keyless Vision: a job lost a message'
    description: 'A message is in the queue ${queueName}. The log of the worker says why it failed. infra/README.md, "Jobs", says how to put it back.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    // A new workspace has no such table until the first line.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'AppTraces | where Message has "Moving message to queue \'${queueName}\'"'
          timeAggregation: 'Count'
          operator: 'GreaterThanOrEqual'
          threshold: 1
        }
      ]
    }
    actions: { actionGroups: empty(actionGroupId) ? [] : [actionGroupId] }
  }
}
