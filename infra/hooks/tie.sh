#!/bin/sh
# Ties what was deployed together: the sign-in application takes the app's identity for its own, and approval links get
# a key. Repeating it changes nothing.
set -eu

if [ -n "${FAILBACK_AUTH_CLIENT_ID:-}" ]; then
  az ad app update --id "$FAILBACK_AUTH_CLIENT_ID" --web-redirect-uris "$FAILBACK_URL/.auth/login/aad/callback"
  held=$(az ad app federated-credential list --id "$FAILBACK_AUTH_CLIENT_ID" \
    --query "[?subject=='$FAILBACK_PRINCIPAL_ID'].id" --output tsv)
  if [ -z "$held" ]; then
    authority=$(az cloud show --query endpoints.activeDirectory --output tsv)
    tenant=$(az account show --query tenantId --output tsv)
    az ad app federated-credential create --id "$FAILBACK_AUTH_CLIENT_ID" --output none --parameters "{
      \"name\": \"failback\",
      \"issuer\": \"${authority%/}/$tenant/v2.0\",
      \"subject\": \"$FAILBACK_PRINCIPAL_ID\",
      \"audiences\": [\"api://AzureADTokenExchange\"]
    }"
  fi
fi

# The key is made here and goes nowhere but into Key Vault: not through parameters, outputs or the azd environment.
found=$(az keyvault secret list --vault-name "$FAILBACK_KEY_VAULT" --query "[?name=='link-keys'].name" --output tsv)
if [ -z "$found" ]; then
  key=$(mktemp)
  trap 'rm -f "$key"' EXIT
  openssl rand -base64 48 | tr -d '\n' >"$key"
  az keyvault secret set --vault-name "$FAILBACK_KEY_VAULT" --name link-keys --file "$key" --encoding utf-8 --output none
  echo "Made the key that signs approval links."
fi
