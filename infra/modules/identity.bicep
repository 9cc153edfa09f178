// The one identity of the app: it reads, acts, logs and deploys as this.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the identity.')
param name string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('ARM id.')
output id string = identity.id

@description('Object id of its service principal, to which roles are assigned.')
output principalId string = identity.properties.principalId

@description('Client id, by which code and settings name it.')
output clientId string = identity.properties.clientId
