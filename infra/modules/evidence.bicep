// Where the record of each run is kept so that nobody can change it: versions, and a period in which none is deleted.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the account.')
param name string

@description('Name of the container.')
param containerName string

@description('Copies of the data.')
param redundancy string

@description('Refuse the public network; private endpoints are made elsewhere.')
param isPrivate bool

@description('Days for which a version can be neither changed nor deleted.')
param days int

@description('Make the period final. Azure takes this only for a policy that exists already.')
param isLocked bool

@description('Object id of the app identity.')
param principalId string

@description('ARM id of the role that writes evidence and deletes nothing.')
param writerRoleId string

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_35: denied as soon as the virtual network is on, which checkov cannot work out; else Entra alone decides
  // checkov:skip=CKV_AZURE_206: zone-redundant by default; checkov cannot follow the parameter
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Cool'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
    immutableStorageWithVersioning: {
      enabled: true
      immutabilityPolicy: {
        immutabilityPeriodSinceCreationInDays: days
        state: isLocked ? 'Locked' : 'Unlocked'
        // A run's record is written once, whole: nothing is ever appended.
        allowProtectedAppendWrites: false
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: 30 }
    containerDeleteRetentionPolicy: { enabled: true, days: 30 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: containerName
  properties: {
    publicAccess: 'None'
    immutableStorageWithVersioning: { enabled: true }
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(container.id, principalId, writerRoleId)
  scope: container
  properties: {
    roleDefinitionId: writerRoleId
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('ARM id.')
output id string = account.id

@description('Blob endpoint, with its last slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
