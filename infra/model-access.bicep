// Who may call a model, and where it is. The account may be one that was there before.
@export()
@description('A principal of Entra ID, by its object id.')
type Caller = {
  id: string
  type: 'User' | 'ServicePrincipal'
}

param accountName string
param callers Caller[]

// Cognitive Services OpenAI User
var modelUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

// The principal is in the name: an identity that was created anew gets an assignment of its own, where changing the old
// one would be refused (RoleAssignmentUpdateNotPermitted).
resource call 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for caller in callers: {
    name: guid(account.id, caller.id, modelUser)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', modelUser)
      principalId: caller.id
      // Without it, a principal that Entra ID has not yet copied everywhere is refused (PrincipalNotFound).
      principalType: caller.type
    }
  }
]

output id string = account.id
output endpoint string = account.properties.endpoint
