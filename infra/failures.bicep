// Alert: the app answers with 500 and above.
param suffix string
param location string
param tags object
param workspaceId string
@description('Empty: nobody gets a mail.')
param actionGroupId string

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
    // The more often a rule is evaluated, the more it costs.
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    // A new workspace has no such table until the first request.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          // The status decides, not Success: that is false for a 401 or a 404, and true for a function that answered 502.
          query: 'AppRequests | where toint(ResultCode) >= 500'
          timeAggregation: 'Count'
          operator: 'GreaterThanOrEqual'
          threshold: 5
        }
      ]
    }
    actions: { actionGroups: empty(actionGroupId) ? [] : [actionGroupId] }
  }
}
