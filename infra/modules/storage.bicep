// The host's storage: the deployed package, and in the default backend the orchestrations. No keys, only roles.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the account.')
param name string

@description('Name of the container that packages are deployed to.')
param containerName string

@description('Copies of the data.')
param redundancy string

@description('Refuse the public network; private endpoints are made elsewhere.')
param isPrivate bool

@description('Object id of the app identity.')
param principalId string

// The host's locks and keys, durable leases and large messages, and the deployment container.
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
// Durable's control and work item queues.
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
// Durable's history and instances.
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var roles = [blobDataOwner, queueDataContributor, tableDataContributor]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_35: denied as soon as the virtual network is on, which checkov cannot work out; else Entra alone decides
  // checkov:skip=CKV_AZURE_206: zone-redundant by default; checkov cannot follow the parameter
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
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
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // A package deleted by mistake comes back.
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: containerName
  properties: { publicAccess: 'None' }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

@description('ARM id.')
output id string = account.id

@description('Blob endpoint, with its last slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Queue endpoint, with its last slash.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Table endpoint, with its last slash.')
output tableEndpoint string = account.properties.primaryEndpoints.table
