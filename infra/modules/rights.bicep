// The app's roles where machines, networks, caches and heartbeats are.
targetScope = 'subscription'

@description('What names of deployments end with.')
param token string

@description('Object id of the app identity.')
param principalId string

@description('ARM id of the role on the subscription.')
param regionRoleId string

@description('ARM id of the role on the resource groups of machines.')
param machinesRoleId string

@description('ARM id of the role on the resource groups of networks.')
param networksRoleId string

@description('ARM id of the role on the resource groups of cache storage accounts.')
param cachesRoleId string

@description('ARM ids of the resource groups of machines.')
param machineGroups array

@description('ARM ids of the resource groups of machines where the built-in contributor role is given too.')
param widerGroups array

@description('ARM ids of the resource groups of networks.')
param networkGroups array

@description('ARM ids of the resource groups of cache storage accounts.')
param cacheGroups array

@description('ARM ids of further workspaces.')
param workspaces array

var virtualMachineContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '9980e02c-c2be-4d73-94e8-173b1dc7cf3c')

module regionRight 'right-on-subscription.bicep' = {
  name: 'failback-region-${token}'
  params: {
    principalId: principalId
    roleId: regionRoleId
  }
}

module machineRight 'right-on-group.bicep' = [for id in machineGroups: {
  name: 'failback-machines-${uniqueString(token, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    roleId: machinesRoleId
  }
}]

module widerMachineRight 'right-on-group.bicep' = [for id in widerGroups: {
  name: 'failback-contributor-${uniqueString(token, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    roleId: virtualMachineContributor
  }
}]

module networkRight 'right-on-group.bicep' = [for id in networkGroups: {
  name: 'failback-networks-${uniqueString(token, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    roleId: networksRoleId
  }
}]

module cacheRight 'right-on-group.bicep' = [for id in cacheGroups: {
  name: 'failback-caches-${uniqueString(token, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    roleId: cachesRoleId
  }
}]

module workspaceRight 'right-on-workspace.bicep' = [for id in workspaces: {
  name: 'failback-heartbeats-${uniqueString(token, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    workspaceName: last(split(id, '/'))
  }
}]
