// Says when callers get failures, and when a model refuses for its quota. Mailed, or shown in the portal only.
param suffix string
param location string
param tags object
param workspaceId string
@description('Resource ids of the model accounts.')
param modelIds string[]
@description('Empty: nobody is mailed.')
param email string

var mailed = !empty(email)
var receivers = mailed ? [mail.id] : []

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (mailed) {
  name: 'mail-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'vision'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

// By the answer's status: the host counts a function that answered 502 as one that succeeded.
resource failures 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = {
  name: 'failures-${suffix}'
  location: location
  tags: tags
  properties: {
    displayName: 'Keyless Vision: requests fail'
    description: 'Five or more answers of 500 and above in 15 minutes. The log has each under its requestId.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    // The more often a rule looks, the more it costs.
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    // A new workspace has no such table until the first request.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'AppRequests | where Success == false or toint(ResultCode) >= 500'
          timeAggregation: 'Count'
          operator: 'GreaterThanOrEqual'
          threshold: 5
        }
      ]
    }
    actions: { actionGroups: receivers }
  }
}

resource throttling 'Microsoft.Insights/metricAlerts@2018-03-01' = [for modelId in modelIds: {
  name: 'throttling-${last(split(modelId, '/'))}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The model answered 429 ten times in 15 minutes: raise modelCapacity, or ask for more quota.'
    severity: 3
    enabled: true
    scopes: [modelId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'refused'
          metricNamespace: 'Microsoft.CognitiveServices/accounts'
          metricName: 'AzureOpenAIRequests'
          // A new account has no such metric until the first request.
          skipMetricValidation: true
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          timeAggregation: 'Total'
          operator: 'GreaterThanOrEqual'
          threshold: 10
        }
      ]
    }
    actions: [for receiver in receivers: { actionGroupId: receiver }]
  }
}]
