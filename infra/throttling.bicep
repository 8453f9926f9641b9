// Alert: a model refuses because its quota is used up.
param name string
param tags object
@description('Resource id of the model account.')
param modelId string
@description('Empty: nobody gets a mail.')
param actionGroupId string

resource throttling 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: 'The model answered 429 ten times in 15 minutes. Raise modelCapacity, or ask for more quota.'
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
    actions: empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }]
  }
}
