// The overview of runs, as a workbook over the workspace.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Workspace that the queries read.')
param workspaceId string

resource overview 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'failback-overview')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Failback runs'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}

@description('ARM id.')
output id string = overview.id
