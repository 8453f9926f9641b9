// Sends a mail when an alert fires.
param suffix string
param tags object
param email string

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'mail-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'vision'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

output id string = mail.id
