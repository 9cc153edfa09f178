#!/bin/sh
# Refuses `azd down`. It deletes every resource group that a deployment wrote to, and this one gives roles in the groups
# of the vault, the machines, the networks and the caches: those would be deleted with all that is in them.
cat >&2 <<EOM
azd down is refused. It deletes each resource group in which the deployment made anything, and roles were given in
those of your vault, machines and networks. docs/deploying.md, "Taking it down", says how to remove
rg-failback-$AZURE_ENV_NAME and nothing else.
EOM
exit 1
