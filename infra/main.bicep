// Everything failback needs in a subscription that already holds a Recovery Services vault. docs/deploying.md says
// what each parameter does, and what must be looked at in the first live run.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment; names and tags are made of it.')
param environmentName string

@minLength(1)
@description('Region of the app. Not the region that machines are brought home to: when that is down, this must not be.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object id of the person or pipeline that deploys; may write the secrets into Key Vault. Empty: nobody may.')
param principalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('What the deploying principal is.')
param principalType string = 'User'

@minLength(1)
@description('ARM id of the Recovery Services vault, in this subscription.')
param vaultId string

@description('ARM ids, separated by commas, of the resource groups of the machines: in the primary and the secondary region.')
param machineResourceGroups string = ''

@description('ARM ids, separated by commas, of the resource groups of the networks: production, secondary and rehearsal.')
param networkResourceGroups string = ''

@description('ARM ids, separated by commas, of the resource groups of the cache storage accounts.')
param cacheResourceGroups string = ''

@description('ARM ids, separated by commas, of further Log Analytics workspaces that the machines report heartbeats to.')
param heartbeatWorkspaces string = ''

@allowed(['listed', 'contributor'])
@description('Rights on the machines: the list in roles.bicep, or the built-in Virtual Machine Contributor should Site Recovery ask for more.')
param machineRights string = 'listed'

@minLength(1)
@description('Region that machines are brought home to, as Service Health spells it: Central US.')
param primaryRegion string

@description('Client id of the Entra application that people sign in to. Empty: nobody can sign in, and the app refuses all.')
param authClientId string = ''

@description('Object id of the same Entra application, for the secure webhook. Empty: alerts reach people, not the app.')
param authAppObjectId string = ''

@description('Object ids, separated by commas, of the groups that may sign in. Empty: whoever the application lets in.')
param authGroups string = ''

@description('Client ids, separated by commas, of further applications that may call the app with tokens of their own.')
param authCallers string = ''

@description('Address ranges, separated by commas, that may reach the app beside Azure Monitor. Empty: any address.')
param allowedAddresses string = ''

@description('Address that alerts are mailed to, by Azure Monitor itself. Empty: none.')
param alertAddress string = ''

@description('Put storage and Key Vault behind private endpoints, and the app into a virtual network.')
param vnetEnabled bool = false

@allowed(['storage', 'scheduler'])
@description('Where orchestrations are kept: Azure Storage, or the Durable Task Scheduler. host.json must say the same: infra/backend.py.')
param backend string = 'storage'

@description('Make a Communication Services resource with an Azure-managed domain for mail.')
param mailEnabled bool = false

@allowed(['africa', 'asiapacific', 'australia', 'brazil', 'canada', 'europe', 'france', 'germany', 'india', 'japan', 'korea', 'norway', 'switzerland', 'uae', 'uk', 'unitedstates', 'usgov'])
@description('Where Communication Services keeps mail at rest.')
param mailDataLocation string = 'europe'

@allowed(['Standard_ZRS', 'Standard_GZRS', 'Standard_LRS', 'Standard_GRS'])
@description('Copies of both storage accounts. Zone-redundant; choose another where the region has no zones.')
param storageRedundancy string = 'Standard_ZRS'

@description('Spread the app over the zones of its region, with two ready instances. The storage must be zone-redundant too.')
param zoneRedundant bool = false

@minValue(1)
@maxValue(146000)
@description('Days for which evidence cannot be changed or deleted.')
param evidenceDays int = 365

@description('Make the evidence period final: nobody can shorten it afterwards. Only on a second deployment.')
param evidenceLocked bool = false

@description('Send the vault logs to the workspace. Off where the vault has diagnostic settings of its own for it.')
param vaultLogsEnabled bool = true

@minValue(30)
@maxValue(730)
@description('Days for which logs are kept.')
param logDays int = 90

@minValue(60)
@description('Recovery point objective: an older newest recovery point raises an alert.')
param rpoSeconds int = 900

@description('Name of a JSON file with alert routes, beside function_app.py. Empty: alerts have no effect on the app.')
param alertRoutes string = ''

@description('Name of a JSON file with probes and queries of machines, beside function_app.py. Empty: none are made.')
param validation string = ''

@description('Name of a JSON file with the calendar of drills, beside function_app.py. Empty: none is held.')
param drills string = ''

@description('How old the last good drill of a machine may be before its plan warns, as P90D. Empty: it never warns.')
param drillAge string = ''

@description('Id (not ARM id) of the workspace in which heartbeats are looked for by host name. Empty: by resource.')
param logsWorkspace string = ''

@description('Address under which people reach the app, where it is not its own: a custom domain or a front door.')
param publicUrl string = ''

@description('Mail addresses, separated by commas, that get every notice. Needs mailEnabled.')
param mailTo string = ''

@description('Domains, separated by commas, whose approvers get mail with a personal link. Needs mailEnabled.')
param mailDomains string = ''

@description('Tell people in Teams: the secret teams-webhook in Key Vault holds the address of a workflow.')
param teamsEnabled bool = false

@description('Tell people in Slack: the secret slack-webhook in Key Vault holds the address of an incoming webhook.')
param slackEnabled bool = false

@description('Send signed events: the secrets events-webhook and events-keys in Key Vault hold the address and the keys.')
param eventsEnabled bool = false

@description('Further settings of the app, by their names. They win over what is set here.')
param extraSettings object = {}

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var vaultGroup = split(vaultId, '/')[4]
var machineGroups = empty(machineResourceGroups) ? [] : split(replace(machineResourceGroups, ' ', ''), ',')
var networkGroups = empty(networkResourceGroups) ? [] : split(replace(networkResourceGroups, ' ', ''), ',')
var cacheGroups = empty(cacheResourceGroups) ? [] : split(replace(cacheResourceGroups, ' ', ''), ',')
var workspaces = empty(heartbeatWorkspaces) ? [] : split(replace(heartbeatWorkspaces, ' ', ''), ',')
var appName = 'func-failback-${token}'
var storageName = 'stfb${token}'
var evidenceName = 'stev${token}'
var keyVaultName = 'kv-fb-${token}'
var hubName = 'failback'
var packages = 'app-package'
var records = 'evidence'
// Private DNS zones carry the cloud's own suffixes.
var storageSuffix = environment().suffixes.storage
var zones = ['privatelink.blob.${storageSuffix}', 'privatelink.queue.${storageSuffix}', 'privatelink.table.${storageSuffix}', 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault', '.vaultcore')}']

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-failback-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'id-failback-${token}'
  }
}

module roles 'modules/roles.bicep' = {
  name: 'failback-roles-${token}'
  params: { environmentName: environmentName }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: 'log-failback-${token}'
    insightsName: 'appi-failback-${token}'
    days: logDays
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    name: storageName
    containerName: packages
    redundancy: storageRedundancy
    isPrivate: vnetEnabled
    principalId: identity.outputs.principalId
  }
}

module evidence 'modules/evidence.bicep' = {
  name: 'evidence'
  scope: group
  params: {
    location: location
    tags: tags
    name: evidenceName
    containerName: records
    redundancy: storageRedundancy
    isPrivate: vnetEnabled
    days: evidenceDays
    isLocked: evidenceLocked
    principalId: identity.outputs.principalId
    writerRoleId: roles.outputs.evidenceRoleId
  }
}

module secrets 'modules/keyvault.bicep' = {
  name: 'secrets'
  scope: group
  params: {
    location: location
    tags: tags
    name: keyVaultName
    isPrivate: vnetEnabled
    principalId: identity.outputs.principalId
    officerId: principalId
    officerType: principalType
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'vnet-failback-${token}'
    zones: zones
  }
}

module endpoints 'modules/endpoints.bicep' = if (vnetEnabled) {
  name: 'endpoints'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    #disable-next-line BCP318 // made on the same condition
    subnetId: vnetEnabled ? network.outputs.endpointSubnetId : ''
    zones: zones
    storageId: storage.outputs.id
    evidenceId: evidence.outputs.id
    keyVaultId: secrets.outputs.id
  }
}

module scheduler 'modules/scheduler.bicep' = if (backend == 'scheduler') {
  name: 'scheduler'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'dts-failback-${token}'
    hubName: hubName
    principalId: identity.outputs.principalId
  }
}

module mail 'modules/mail.bicep' = if (mailEnabled) {
  name: 'mail'
  scope: group
  params: {
    tags: tags
    name: 'failback-${token}'
    dataLocation: mailDataLocation
    principalId: identity.outputs.principalId
  }
}

// Of each right, docs/deploying.md says why, and roles.bicep has the reason beside it.
module vault 'modules/vault.bicep' = {
  name: 'failback-vault-${token}'
  scope: resourceGroup(vaultGroup)
  params: {
    vaultName: last(split(vaultId, '/'))
    principalId: identity.outputs.principalId
    roleId: roles.outputs.vaultRoleId
    workspaceId: monitoring.outputs.workspaceId
    logsEnabled: vaultLogsEnabled
  }
}

module rights 'modules/rights.bicep' = {
  name: 'failback-rights-${token}'
  params: {
    token: token
    principalId: identity.outputs.principalId
    regionRoleId: roles.outputs.regionRoleId
    machinesRoleId: roles.outputs.machinesRoleId
    networksRoleId: roles.outputs.networksRoleId
    cachesRoleId: roles.outputs.cachesRoleId
    machineGroups: machineGroups
    widerGroups: machineRights == 'contributor' ? machineGroups : []
    networkGroups: networkGroups
    cacheGroups: cacheGroups
    workspaces: workspaces
  }
}

// Host and telemetry without a key; code finds the same identity by AZURE_CLIENT_ID.
var hostSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_CLOUD: environment().name
  // Otherwise a payload may name a class to be made of it.
  AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
  // Each call takes a thread: what host.json lets run at once, and as many doors again.
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
}
var schedulerSettings = backend == 'scheduler' ? {
  #disable-next-line BCP318 // made on the same condition
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler.outputs.endpoint};TaskHub=${hubName};Authentication=ManagedIdentity;ClientID=${identity.outputs.clientId}'
} : {}
// A reference that cannot be read is handed to the app as it stands here, so only secrets that exist are referred to.
var secretPrefix = '@Microsoft.KeyVault(VaultName=${secrets.outputs.name};SecretName='
var peopleSettings = {
  FAILBACK_IDENTITY: 'app-service'
  FAILBACK_TENANT_ID: tenant().tenantId
  FAILBACK_AUDIENCES: empty(authClientId) ? '' : '${authClientId},api://${authClientId}'
  FAILBACK_LINK_KEYS: '${secretPrefix}link-keys)'
  FAILBACK_PUBLIC_URL: publicUrl
}
var runSettings = {
  FAILBACK_EVIDENCE: '${evidence.outputs.blobEndpoint}${records}'
  FAILBACK_VALIDATION: validation
  FAILBACK_LOGS_WORKSPACE: logsWorkspace
  FAILBACK_DRILLS: drills
  FAILBACK_DRILL_AGE: drillAge
  FAILBACK_ALERT_ROUTES: alertRoutes
  // The webhook is secure whenever there is an application that it can prove itself to.
  FAILBACK_ALERT_AUTH: empty(authAppObjectId) ? 'functionKey' : 'entra'
}
var mailSettings = mailEnabled ? {
  #disable-next-line BCP318 // made on the same condition
  FAILBACK_MAIL_ENDPOINT: mail.outputs.endpoint
  #disable-next-line BCP318 // made on the same condition
  FAILBACK_MAIL_FROM: mail.outputs.sender
  FAILBACK_MAIL_TO: mailTo
  FAILBACK_MAIL_DOMAINS: mailDomains
} : {}
var teamsSettings = teamsEnabled ? { FAILBACK_TEAMS_WEBHOOK: '${secretPrefix}teams-webhook)' } : {}
var slackSettings = slackEnabled ? { FAILBACK_SLACK_WEBHOOK: '${secretPrefix}slack-webhook)' } : {}
var eventsSettings = eventsEnabled ? {
  FAILBACK_WEBHOOK: '${secretPrefix}events-webhook)'
  FAILBACK_WEBHOOK_KEYS: '${secretPrefix}events-keys)'
} : {}
var noticeSettings = union(mailSettings, teamsSettings, slackSettings, eventsSettings)

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    location: location
    tags: tags
    name: appName
    planName: 'plan-failback-${token}'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    containerName: packages
    #disable-next-line BCP318 // made on the same condition
    subnetId: vnetEnabled ? network.outputs.appSubnetId : ''
    allowedAddresses: empty(allowedAddresses) ? [] : split(replace(allowedAddresses, ' ', ''), ',')
    isBehindProxy: !empty(publicUrl)
    isZoneRedundant: zoneRedundant
    settings: union(hostSettings, schedulerSettings, peopleSettings, runSettings, noticeSettings, extraSettings)
    authClientId: authClientId
    authGroups: empty(authGroups) ? [] : split(replace(authGroups, ' ', ''), ',')
    authCallers: empty(authCallers) ? [] : split(replace(authCallers, ' ', ''), ',')
  }
  // The app cannot start before it reaches its stores.
  dependsOn: [endpoints]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    appUrl: app.outputs.url
    authAppObjectId: authAppObjectId
    authClientId: authClientId
    address: alertAddress
    workspaceId: monitoring.outputs.workspaceId
    vaultId: vaultId
    machineGroups: machineGroups
    primaryRegion: primaryRegion
    rpoSeconds: rpoSeconds
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Resource group of the app.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Address of the app: FAILBACK_URL of the command line.')
output FAILBACK_URL string = app.outputs.url

@description('Name of the app.')
output FAILBACK_APP_NAME string = app.outputs.name

@description('Object id of the app identity: the subject of the federated credential of the sign-in application.')
output FAILBACK_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app identity.')
output FAILBACK_IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Key Vault that the secrets are written to.')
output FAILBACK_KEY_VAULT string = secrets.outputs.name

@description('Blob endpoint of the evidence.')
output FAILBACK_EVIDENCE_ENDPOINT string = evidence.outputs.blobEndpoint

@description('Backend that host.json must name.')
output FAILBACK_BACKEND string = backend

@description('Address that mail comes from; empty without mail.')
#disable-next-line BCP318 // made on the same condition
output FAILBACK_MAIL_SENDER string = mailEnabled ? mail.outputs.sender : ''
