// Mail through Communication Services, from a domain that Azure manages, without a key.

@description('Tags of every resource.')
param tags object

@description('Name that both services are made of.')
param name string

@description('Where mail is kept at rest.')
param dataLocation string

@description('Object id of the app identity.')
param principalId string

// Communication and Email Service Owner: there is no narrower built-in role that may send.
var emailOwner = '09976791-48a7-449e-bb21-39d1a415f350'

resource mail 'Microsoft.Communication/emailServices@2025-09-01' = {
  name: 'mail-${name}'
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

resource domain 'Microsoft.Communication/emailServices/domains@2025-09-01' = {
  parent: mail
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: 'AzureManaged'
    // No pixel and no rewritten links in a message that asks for an approval.
    userEngagementTracking: 'Disabled'
  }
}

resource service 'Microsoft.Communication/communicationServices@2025-09-01' = {
  name: 'acs-${name}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    linkedDomains: [domain.id]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(service.id, principalId, emailOwner)
  scope: service
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', emailOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Where mail is handed in.')
output endpoint string = 'https://${service.properties.hostName}'

@description('Address that mail comes from.')
output sender string = 'DoNotReply@${domain.properties.fromSenderDomain}'
