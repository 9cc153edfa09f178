// The app: a Flex Consumption plan, the site, its sign-in, and no door for passwords.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the app.')
param name string

@description('Name of the plan.')
param planName string

@description('ARM id of the identity.')
param identityId string

@description('Client id of the identity.')
param identityClientId string

@description('Blob endpoint of the host storage, with its last slash.')
param blobEndpoint string

@description('Container that packages are deployed to.')
param containerName string

@description('Subnet that the app goes out through; empty for none.')
param subnetId string

@description('Address ranges that may call beside Azure Monitor; none lets everybody call.')
param allowedAddresses array

@description('Settings of the app, beside those of its sign-in.')
param settings object

@description('Client id of the Entra application that people sign in to; empty leaves sign-in off.')
param authClientId string

@description('Groups that may sign in; none leaves it to the application.')
param authGroups array

@description('Further applications that may call.')
param authCallers array

@description('People reach the app under an address that something before it answers to.')
param isBehindProxy bool

@description('Spread instances over the zones of the region.')
param isZoneRedundant bool

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB.')
param instanceMemory int = 2048

@minValue(40)
@maxValue(1000)
@description('Most instances at once.')
param maximumInstances int = 40

// App Service signs in by the app's own identity: this name in place of a secret's says so.
var assertionSetting = 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
var signIn = empty(authClientId) ? {} : {
  '${assertionSetting}': identityClientId
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenant().tenantId
}
var ranges = [for (block, i) in allowedAddresses: {
  name: 'people-${i}'
  ipAddress: block
  action: 'Allow'
  priority: 200 + i
}]
// An address list without Azure Monitor would lock the alerts out, one with nothing else the people.
var monitorOnly = [
  {
    name: 'azure-monitor'
    tag: 'ServiceTag'
    ipAddress: 'ActionGroup'
    action: 'Allow'
    priority: 100
  }
]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  // checkov:skip=CKV_AZURE_225: a parameter decides, for not every region has zones; checkov cannot follow it
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: isZoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  // checkov:skip=CKV_AZURE_222: Azure Monitor calls webhooks over the public network only; allowedAddresses narrows it
  // checkov:skip=CKV_AZURE_17: callers prove who they are by Entra tokens; neither Azure Monitor nor a browser has a certificate for us
  // checkov:skip=CKV_AZURE_212: alwaysReady and maximumInstanceCount scale a Flex Consumption app; the setting asked for does not exist there
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check path; the rules failback-app-failing and failback-app-stuck watch
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    // Azure Monitor reaches webhooks over the public network only.
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      ipSecurityRestrictions: empty(allowedAddresses) ? [] : concat(monitorOnly, ranges)
      ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${containerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
        // A run must go on when its timer is due, not when an instance has been found for it.
        alwaysReady: [
          // One in each of two zones, or one.
          { name: 'durable', instanceCount: isZoneRedundant ? 2 : 1 }
        ]
      }
      runtime: { name: 'python', version: '3.12' }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  // checkov:skip=CKV_AZURE_13: these are the app settings; sign-in is the resource below
  // checkov:skip=CKV_AZURE_63: these are the app settings; Flex Consumption has no web server logs, requests go to Application Insights
  // checkov:skip=CKV_AZURE_65: these are the app settings; detailed error pages are a Windows feature
  // checkov:skip=CKV_AZURE_66: these are the app settings; failed request tracing is a Windows feature
  // checkov:skip=CKV_AZURE_80: these are the app settings; the app is Python
  // checkov:skip=CKV_AZURE_88: these are the app settings; the app keeps no files
  // checkov:skip=CKV_AZURE_222: these are the app settings; the site above says who reaches it
  parent: app
  name: 'appsettings'
  properties: union(settings, signIn)
}

// Basic authentication is off for both ways of publishing: azd publishes with an Entra token.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource sign 'Microsoft.Web/sites/config@2025-03-01' = {
  // checkov:skip=CKV_AZURE_13: this is the sign-in; checkov looks for the version before this one
  // checkov:skip=CKV_AZURE_63: this is the sign-in; Flex Consumption has no web server logs, requests go to Application Insights
  // checkov:skip=CKV_AZURE_65: this is the sign-in; detailed error pages are a Windows feature
  // checkov:skip=CKV_AZURE_66: this is the sign-in; failed request tracing is a Windows feature
  // checkov:skip=CKV_AZURE_80: this is the sign-in; the app is Python
  // checkov:skip=CKV_AZURE_88: this is the sign-in; the app keeps no files
  // checkov:skip=CKV_AZURE_222: this is the sign-in; the site above says who reaches it
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: !empty(authClientId), runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      // The app checks the token of an alert itself: it is Azure Monitor's, not a person's.
      excludedPaths: ['/api/alerts']
    }
    httpSettings: {
      requireHttps: true
      // Else whoever signed in is led to the app's own address.
      forwardProxy: { convention: isBehindProxy ? 'Standard' : 'NoProxy' }
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: !empty(authClientId)
        registration: {
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          clientId: authClientId
          clientSecretSettingName: assertionSetting
        }
        validation: {
          allowedAudiences: [authClientId, 'api://${authClientId}']
          defaultAuthorizationPolicy: {
            allowedApplications: concat([authClientId], authCallers)
            allowedPrincipals: empty(authGroups) ? {} : { groups: authGroups }
          }
        }
      }
    }
    login: {
      tokenStore: { enabled: false }
      cookieExpiration: { convention: 'FixedTime', timeToExpiration: '08:00:00' }
      nonce: { validateNonce: true }
    }
  }
  // Two writes to the configuration of one site at once are refused.
  dependsOn: [appSettings]
}

@description('Name of the app.')
output name string = app.name

@description('ARM id of the app.')
output id string = app.id

@description('Address of the app.')
output url string = 'https://${app.properties.defaultHostName}'
