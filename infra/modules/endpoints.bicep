// The private endpoints of the stores: without them nothing reaches a store that refuses the public network.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What names of endpoints end with.')
param token string

@description('ARM id of the subnet.')
param subnetId string

@description('Private DNS zones of blob, queue, table and vault, in this order.')
param zones array

@description('ARM id of the host storage.')
param storageId string

@description('ARM id of the evidence storage.')
param evidenceId string

@description('ARM id of the key vault.')
param keyVaultId string

var wanted = [
  { name: 'blob', targetId: storageId, group: 'blob', zone: zones[0] }
  { name: 'queue', targetId: storageId, group: 'queue', zone: zones[1] }
  { name: 'table', targetId: storageId, group: 'table', zone: zones[2] }
  { name: 'evidence', targetId: evidenceId, group: 'blob', zone: zones[0] }
  { name: 'secrets', targetId: keyVaultId, group: 'vault', zone: zones[3] }
]

module endpoint 'endpoint.bicep' = [for each in wanted: {
  name: 'endpoint-${each.name}'
  params: {
    location: location
    tags: tags
    name: 'pe-${each.name}-${token}'
    subnetId: subnetId
    targetId: each.targetId
    group: each.group
    zone: each.zone
  }
}]
