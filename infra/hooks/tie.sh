#!/bin/sh
# Ties what was deployed together: the sign-in application takes the app's identity for its own, approval links get a
# key, and the app reads its secrets. Repeating it changes nothing.
set -euf

# A pipeline has no right to write to Entra: what a person's first deployment tied stays tied.
if [ -n "${FAILBACK_AUTH_CLIENT_ID:-}" ] && [ "${AZURE_PRINCIPAL_TYPE:-User}" != ServicePrincipal ]; then
  # Beside those that are there: an application may serve several environments.
  held=$(az ad app show --id "$FAILBACK_AUTH_CLIENT_ID" --query web.redirectUris --output tsv)
  for address in "$FAILBACK_URL" ${FAILBACK_PUBLIC_URL:-}; do
    held="$held ${address%/}/.auth/login/aad/callback"
  done
  # One word each: addresses hold no spaces.
  az ad app update --id "$FAILBACK_AUTH_CLIENT_ID" --web-redirect-uris $(printf '%s\n' $held | sort -u)
  held=$(az ad app federated-credential list --id "$FAILBACK_AUTH_CLIENT_ID" \
    --query "[?subject=='$FAILBACK_PRINCIPAL_ID'].id" --output tsv)
  if [ -z "$held" ]; then
    authority=$(az cloud show --query endpoints.activeDirectory --output tsv)
    tenant=$(az account show --query tenantId --output tsv)
    az ad app federated-credential create --id "$FAILBACK_AUTH_CLIENT_ID" --output none --parameters "{
      \"name\": \"failback-$FAILBACK_PRINCIPAL_ID\",
      \"issuer\": \"${authority%/}/$tenant/v2.0\",
      \"subject\": \"$FAILBACK_PRINCIPAL_ID\",
      \"audiences\": [\"api://AzureADTokenExchange\"]
    }"
  fi
  # Who may call needs nobody's consent first, for the Azure CLI cannot ask for it. The list of an application of your
  # own is yours.
  if [ -n "${FAILBACK_AUTH_CALLERS:-}" ] && [ "${FAILBACK_SIGN_IN:-make}" = make ]; then
    scope=$(az ad app show --id "$FAILBACK_AUTH_CLIENT_ID" \
      --query "api.oauth2PermissionScopes[?value=='user_impersonation'].id" --output tsv)
    callers=$(printf '%s' "$FAILBACK_AUTH_CALLERS" | tr -d ' ' |
      sed "s/[^,]\{1,\}/{\"appId\": \"&\", \"delegatedPermissionIds\": [\"$scope\"]}/g")
    graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
    az rest --method PATCH --url "${graph%/}/v1.0/applications(appId='$FAILBACK_AUTH_CLIENT_ID')" --output none \
      --headers "Content-Type=application/json" --body "{\"api\": {\"preAuthorizedApplications\": [$callers]}}"
  fi
fi

# The key is made here and goes nowhere but into Key Vault: not through parameters, outputs or the azd environment. It
# goes by Azure Resource Manager, which asks for no role that takes minutes to arrive, and for no way into a network.
providers="/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers"
secrets="$providers/Microsoft.KeyVault/vaults/$FAILBACK_KEY_VAULT/secrets"
found=$(az rest --method GET --url "$secrets?api-version=2024-11-01" --query "value[?name=='link-keys'].name" --output tsv)
if [ -z "$found" ]; then
  body=$(mktemp)
  trap 'rm -f "$body"' EXIT
  printf '{"properties": {"value": "%s"}}' "$(openssl rand -base64 48 | tr -d '\n')" >"$body"
  az rest --method PUT --url "$secrets/link-keys?api-version=2024-11-01" --output none \
    --headers "Content-Type=application/json" --body "@$body"
  echo "Made the key that signs approval links."
fi

# Left alone, the app reads its secrets once a day. That is no reason to stop before the app itself is deployed.
az rest --method POST --output none \
  --url "$providers/Microsoft.Web/sites/$FAILBACK_APP_NAME/config/configreferences/appsettings/refresh?api-version=2022-03-01" ||
  echo "The app has not read its secrets: run 'azd hooks run postprovision' again when it is deployed." >&2
