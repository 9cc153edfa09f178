// The Recovery Services vault that is there already: the app's role on it, and its logs. Its own properties stay as
// they are, for writing one of them would write them all.

@description('Name of the vault, in this resource group.')
param vaultName string

@description('Object id of the app identity.')
param principalId string

@description('ARM id of the role on the vault.')
param roleId string

@description('Workspace that the vault logs to.')
param workspaceId string

@description('Make the two diagnostic settings.')
param logsEnabled bool

@description('Log categories that have tables of their own.')
param tableCategories array = ['AzureSiteRecoveryJobs', 'ASRReplicatedItems']

@description('Log categories that Azure writes to AzureDiagnostics only.')
param legacyCategories array = [
  'AzureSiteRecoveryEvents'
  'AzureSiteRecoveryReplicatedItems'
  'AzureSiteRecoveryReplicationStats'
  'AzureSiteRecoveryRecoveryPoints'
  'AzureSiteRecoveryReplicationDataUploadRate'
  'AzureSiteRecoveryProtectedDiskDataChurn'
]

resource vault 'Microsoft.RecoveryServices/vaults@2025-08-01' existing = {
  name: vaultName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roleId)
  scope: vault
  properties: {
    roleDefinitionId: roleId
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Two settings, not one: sent as 'Dedicated', the legacy categories stop arriving.
resource tables 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logsEnabled) {
  name: 'failback-tables'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [for category in tableCategories: {
      category: category
      enabled: true
    }]
  }
}

resource legacy 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logsEnabled) {
  name: 'failback-legacy'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'AzureDiagnostics'
    logs: [for category in legacyCategories: {
      category: category
      enabled: true
    }]
  }
}
