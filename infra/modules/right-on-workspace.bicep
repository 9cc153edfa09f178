// The app may query a workspace that lies elsewhere.

@description('Object id of the app identity.')
param principalId string

@description('Name of the workspace.')
param workspaceName string

// Log Analytics Data Reader.
var logAnalyticsDataReader = '3b03c2da-16b3-4a49-8834-0f8130efdd3b'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, principalId, logAnalyticsDataReader)
  scope: workspace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsDataReader)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
