#!/bin/sh
# Makes the Entra application that people sign in to, and that Azure Monitor's webhooks prove themselves to. It has no
# secret and no certificate. A try that broke off is gone on with; when all is done, nothing more is asked.
#
# FAILBACK_SIGN_IN=own: an application of your own is named by FAILBACK_AUTH_CLIENT_ID and FAILBACK_AUTH_APP_OBJECT_ID.
# FAILBACK_SIGN_IN=none: there is none; nobody can sign in, and the app refuses everybody.
set -eu
here=$(dirname "$0")
# Azure Monitor's own application, the same in every tenant of the public cloud.
azure_monitor=461e8683-5575-4561-ac7f-899cc907d62a

case "${FAILBACK_SIGN_IN:-make}" in own | none) exit 0 ;; esac
if [ -n "${FAILBACK_AUTH_APP_OBJECT_ID:-}" ]; then
  exit 0
fi

app=${FAILBACK_AUTH_CLIENT_ID:-}
name="failback ($AZURE_ENV_NAME)"
if [ -z "$app" ]; then
  app=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg \
    --enable-id-token-issuance true --query appId --output tsv)
  # Told at once, or a second try would make a second application.
  azd env set FAILBACK_AUTH_CLIENT_ID "$app"
elif [ "$(az ad app show --id "$app" --query displayName --output tsv)" != "$name" ]; then
  # What follows would write over its roles and addresses.
  echo "FAILBACK_AUTH_CLIENT_ID names an application that was not made here: set FAILBACK_SIGN_IN=own." >&2
  exit 1
fi

object=$(az ad app show --id "$app" --query id --output tsv)
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}/v1.0
az rest --method PATCH --url "$graph/applications/$object" --headers "Content-Type=application/json" --output none \
  --body "$(sed "s/CLIENT_ID/$app/" "$here/application.json")"

principal() {
  az ad sp show --id "$1" --query id --output tsv 2>/dev/null || az ad sp create --id "$1" --query id --output tsv
}
service=$(principal "$app")
monitor=$(principal "$azure_monitor")
role=$(az ad app show --id "$app" --query "appRoles[?value=='ActionGroupsSecureWebhook'].id" --output tsv)
held=$(az rest --method GET --url "$graph/servicePrincipals/$service/appRoleAssignedTo" \
  --query "value[?principalId=='$monitor'].id" --output tsv)
if [ -z "$held" ]; then
  az rest --method POST --url "$graph/servicePrincipals/$service/appRoleAssignedTo" --output none \
    --headers "Content-Type=application/json" \
    --body "{\"principalId\": \"$monitor\", \"resourceId\": \"$service\", \"appRoleId\": \"$role\"}"
fi

azd env set FAILBACK_AUTH_APP_OBJECT_ID "$object"
echo "People sign in to the Entra application $app."
