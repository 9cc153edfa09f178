// What the app may do in Azure, each right with its reason. A `...Calls` list holds what the gateway itself calls, and
// a test compares it with the gateway, both ways. A `...Checked` list holds what Site Recovery checks on whoever asks
// it for a failover; Microsoft publishes that for enabling replication only, so the first drill is the test.
targetScope = 'subscription'

@description('Name that tells the roles of this environment from those of another.')
param environmentName string

var everywhere = subscription().id
// A tenant has each role name once, in all its subscriptions.
var suffix = '${environmentName} ${uniqueString(everywhere)}'
var vaultCalls = [
  // List all machines of the vault, in one call for a whole group.
  'Microsoft.RecoveryServices/vaults/replicationProtectedItems/read'
  // Read one machine, and find it again after re-protection has moved it.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read'
  // Choose the recovery point.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/recoveryPoints/read'
  // Follow jobs, and adopt one whose answer was lost.
  'Microsoft.RecoveryServices/vaults/replicationJobs/read'
  // Rehearse.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/testFailover/action'
  // Remove the rehearsal.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/testFailoverCleanup/action'
  // Bring the machine home.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/unplannedFailover/action'
  // Change the recovery point before the commit.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/applyRecoveryPoint/action'
  // Commit.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/failoverCommit/action'
  // Re-protect to the secondary region.
  'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/switchprotection/action'
]
var regionCalls = [
  // Is the size on offer to this subscription in the home region?
  'Microsoft.Compute/skus/read'
  // Are there cores enough?
  'Microsoft.Compute/locations/usages/read'
]
var machineCalls = [
  // Does the machine run, is its agent well, which disks are to be re-protected?
  'Microsoft.Compute/virtualMachines/read'
  // Which addresses does it have?
  'Microsoft.Network/networkInterfaces/read'
  // Is anything left of a rehearsal?
  'Microsoft.Compute/disks/read'
  'Microsoft.Network/publicIPAddresses/read'
]
var machineSwept = [
  // What a test left behind is deleted; the rest of it by rights that Site Recovery checks, too.
  'Microsoft.Network/publicIPAddresses/delete'
]
var machineLogs = [
  // Heartbeats, where the workspace goes by the rights on the machine.
  'Microsoft.Insights/logs/Heartbeat/read'
]
var machineChecked = [
  // Published for enabling replication, of which re-protection is the reverse.
  'Microsoft.Compute/availabilitySets/read'
  // The failed-over and the test machine are made, the source is shut down, the test machine is deleted.
  'Microsoft.Compute/virtualMachines/write'
  'Microsoft.Compute/virtualMachines/delete'
  'Microsoft.Compute/virtualMachines/deallocate/action'
  // Disks are made from a recovery point, attached, and deleted after a rehearsal.
  'Microsoft.Compute/disks/write'
  'Microsoft.Compute/disks/delete'
  // Disks keep their encryption.
  'Microsoft.Compute/diskEncryptionSets/read'
  // The machine at home, and the test machine, get network cards.
  'Microsoft.Network/networkInterfaces/write'
  'Microsoft.Network/networkInterfaces/delete'
  'Microsoft.Network/networkInterfaces/join/action'
  // Network cards may keep a public address and a place behind a load balancer.
  'Microsoft.Network/publicIPAddresses/join/action'
  'Microsoft.Network/loadBalancers/read'
  'Microsoft.Network/loadBalancers/backendAddressPools/join/action'
  'Microsoft.Network/networkSecurityGroups/read'
  'Microsoft.Network/networkSecurityGroups/join/action'
  // Site Recovery makes these by deployments.
  'Microsoft.Resources/deployments/read'
  'Microsoft.Resources/deployments/write'
  'Microsoft.Resources/deployments/validate/action'
  'Microsoft.Resources/deployments/operations/read'
  'Microsoft.Resources/deployments/operationstatuses/read'
  'Microsoft.Resources/subscriptions/resourceGroups/read'
]
var networkCalls = [
  // Is the rehearsal's network in the home region, and apart from production's?
  'Microsoft.Network/virtualNetworks/read'
]
var networkChecked = [
  // Network cards join a subnet.
  'Microsoft.Network/virtualNetworks/subnets/read'
  'Microsoft.Network/virtualNetworks/subnets/join/action'
  // And perhaps a security group that lies beside the network.
  'Microsoft.Network/networkSecurityGroups/read'
  'Microsoft.Network/networkSecurityGroups/join/action'
]
var cacheCalls = [
  // Find a cache storage account in the region that replication starts from.
  'Microsoft.Storage/storageAccounts/read'
]
var cacheChecked = [
  // Published for enabling replication. A strong right: so it is given on the cache accounts' groups only.
  'Microsoft.Storage/storageAccounts/listkeys/action'
]
var evidenceData = [
  // Read a record back, and prove that it is whole.
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
  // Write a new record. There is no right to write over one, or to delete it.
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
]

resource onVault 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'vault')
  properties: {
    roleName: 'Failback Operator (${suffix})'
    description: 'Every Site Recovery call that failback makes on a vault, and no other.'
    type: 'CustomRole'
    permissions: [
      { actions: vaultCalls, notActions: [], dataActions: [], notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

resource onRegion 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'region')
  properties: {
    roleName: 'Failback Region Reader (${suffix})'
    description: 'What a region has to give to this subscription. Nothing about any resource.'
    type: 'CustomRole'
    permissions: [
      { actions: regionCalls, notActions: [], dataActions: [], notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

resource onMachines 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'machines')
  properties: {
    roleName: 'Failback Machines (${suffix})'
    description: 'What failback reads of machines, and what Site Recovery does to them in its name.'
    type: 'CustomRole'
    permissions: [
      { actions: concat(machineCalls, machineSwept, machineLogs, machineChecked), notActions: [], dataActions: [], notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

resource onNetworks 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'networks')
  properties: {
    roleName: 'Failback Networks (${suffix})'
    description: 'What failback reads of networks, and the right to join them.'
    type: 'CustomRole'
    permissions: [
      { actions: concat(networkCalls, networkChecked), notActions: [], dataActions: [], notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

resource onCaches 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'caches')
  properties: {
    roleName: 'Failback Caches (${suffix})'
    description: 'What failback reads of cache storage accounts, and what Site Recovery checks on them.'
    type: 'CustomRole'
    permissions: [
      { actions: concat(cacheCalls, cacheChecked), notActions: [], dataActions: [], notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

resource onEvidence 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'evidence')
  properties: {
    roleName: 'Failback Evidence Writer (${suffix})'
    description: 'Writes new records of runs and reads them; changes and deletes none.'
    type: 'CustomRole'
    permissions: [
      { actions: [], notActions: [], dataActions: evidenceData, notDataActions: [] }
    ]
    assignableScopes: [everywhere]
  }
}

@description('ARM id of the role on the vault.')
output vaultRoleId string = onVault.id

@description('ARM id of the role on the subscription.')
output regionRoleId string = onRegion.id

@description('ARM id of the role on the resource groups of machines.')
output machinesRoleId string = onMachines.id

@description('ARM id of the role on the resource groups of networks.')
output networksRoleId string = onNetworks.id

@description('ARM id of the role on the resource groups of cache storage accounts.')
output cachesRoleId string = onCaches.id

@description('ARM id of the role on the evidence container.')
output evidenceRoleId string = onEvidence.id
