// Who hears of what: an action group that calls people and the app, and the rules that call it.

@description('Region of the rules that need one.')
param location string

@description('Tags of every resource.')
param tags object

@description('Address of the app.')
param appUrl string

@description('Object id of the Entra application behind the secure webhook; empty leaves the app out.')
param authAppObjectId string

@description('Client id of the same application.')
param authClientId string

@description('Mail address of people; empty leaves them out.')
param address string

@description('Workspace that the log rules query.')
param workspaceId string

@description('ARM id of the Recovery Services vault.')
param vaultId string

@description('ARM ids of the resource groups of the machines.')
param machineGroups array

@description('Region that machines are brought home to, as Service Health spells it.')
param primaryRegion string

@description('Newest recovery point older than this, in seconds, is an alert.')
param rpoSeconds int

var everywhere = subscription().id
var webhooks = empty(authAppObjectId) ? [] : [
  {
    name: 'failback'
    serviceUri: '${appUrl}/api/alerts'
    useCommonAlertSchema: true
    useAadAuth: true
    objectId: authAppObjectId
    identifierUri: 'api://${authClientId}'
    tenantId: tenant().tenantId
  }
]
var mails = empty(address) ? [] : [
  { name: 'people', emailAddress: address, useCommonAlertSchema: true }
]
// What brings the app itself to people; the app is not asked to save itself.
var watch = [people.id]

resource everybody 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-failback'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'failback'
    enabled: true
    webhookReceivers: webhooks
    emailReceivers: mails
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-failback-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'fb-people'
    enabled: true
    emailReceivers: mails
  }
}

resource regionDown 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'failback-primary-region'
  location: 'global'
  tags: tags
  properties: {
    description: 'Service Health reports an incident in the region that machines are brought home to, or its end.'
    enabled: true
    scopes: [everywhere]
    condition: {
      allOf: [
        { field: 'category', equals: 'ServiceHealth' }
        { field: 'properties.incidentType', equals: 'Incident' }
        {
          // Service Health and the portal spell Site Recovery differently; a name that never comes does no harm.
          field: 'properties.impactedServices[*].ServiceName'
          containsAny: ['Site Recovery', 'Azure Site Recovery', 'Virtual Machines', 'Virtual Network', 'Storage', 'Azure Managed Disks']
        }
        { field: 'properties.impactedServices[*].ImpactedRegions[*].RegionName', containsAny: [primaryRegion] }
      ]
    }
    actions: {
      actionGroups: [
        { actionGroupId: everybody.id }
      ]
    }
  }
}

resource machineDown 'Microsoft.Insights/activityLogAlerts@2020-10-01' = if (!empty(machineGroups)) {
  name: 'failback-machine-health'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure, and not a person, made a machine unavailable, or it came back.'
    enabled: true
    scopes: machineGroups
    condition: {
      allOf: [
        { field: 'category', equals: 'ResourceHealth' }
        { field: 'resourceType', equals: 'Microsoft.Compute/virtualMachines' }
        { field: 'properties.cause', equals: 'PlatformInitiated' }
        {
          anyOf: [
            { field: 'properties.currentHealthStatus', equals: 'Unavailable' }
            { field: 'properties.currentHealthStatus', equals: 'Degraded' }
            { field: 'properties.currentHealthStatus', equals: 'Available' }
          ]
        }
      ]
    }
    actions: {
      actionGroups: [
        { actionGroupId: everybody.id }
      ]
    }
  }
}

resource jobFailed 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'failback-job-failed'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Site Recovery job failed'
    description: 'A Site Recovery job of the vault failed, whoever began it.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('../kql/job-failed.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          resourceIdColumn: '_ResourceId'
          dimensions: [
            { name: 'ReplicatedItemId', operator: 'Include', values: ['*'] }
            { name: 'OperationName', operator: 'Include', values: ['*'] }
          ]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    // The tables are made by their first record; until then the query would be refused.
    skipQueryValidation: true
    autoMitigate: false
    actions: {
      actionGroups: [everybody.id]
      customProperties: { failback: 'job-failed' }
    }
  }
}

resource rpoBreach 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'failback-rpo-breach'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Recovery point objective missed'
    description: 'A protected machine has no recovery point young enough.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('../kql/rpo-breach.kql')
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'rpoInSeconds_d'
          operator: 'GreaterThan'
          threshold: rpoSeconds
          resourceIdColumn: '_ResourceId'
          dimensions: [
            { name: 'name_s', operator: 'Include', values: ['*'] }
          ]
          failingPeriods: { numberOfEvaluationPeriods: 2, minFailingPeriodsToAlert: 2 }
        }
      ]
    }
    skipQueryValidation: true
    autoMitigate: true
    actions: {
      actionGroups: [everybody.id]
      customProperties: { failback: 'rpo-breach' }
    }
  }
}

resource appFailing 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'failback-app-failing'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Failback fails'
    description: 'Functions of the app end in errors.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('../kql/app-failing.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          // A lost answer is repeated and mends itself; three in a quarter of an hour do not.
          threshold: 2
          dimensions: [
            { name: 'OperationName', operator: 'Include', values: ['*'] }
          ]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    skipQueryValidation: true
    autoMitigate: true
    actions: { actionGroups: watch }
  }
}

resource appStuck 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'failback-app-stuck'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Failback stands still'
    description: 'A stage that should look at its machines every few minutes has not run for half an hour.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    // The query looks back over a day by itself.
    windowSize: 'P1D'
    criteria: {
      allOf: [
        {
          query: loadTextContent('../kql/app-stuck.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            { name: 'InstanceId', operator: 'Include', values: ['*'] }
          ]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    skipQueryValidation: true
    autoMitigate: true
    actions: { actionGroups: watch }
  }
}

// The vault's own alerts reach nobody until a rule adds an action group. No monitor service is documented for Site
// Recovery, so they are told by the resource they come from.
resource builtIn 'Microsoft.AlertsManagement/actionRules@2021-08-08' = {
  name: 'failback-vault-alerts'
  location: 'Global'
  tags: tags
  properties: {
    description: 'Adds the failback action group to the built-in alerts of the vault.'
    enabled: true
    scopes: [vaultId]
    conditions: [
      { field: 'TargetResourceType', operator: 'Equals', values: ['microsoft.recoveryservices/vaults'] }
    ]
    actions: [
      { actionType: 'AddActionGroups', actionGroupIds: [everybody.id] }
    ]
  }
}
