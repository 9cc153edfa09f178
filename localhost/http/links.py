"""The URLs of the durable API, and the durable client binding made of them.

EXT BindingHelper.cs and HttpApiHandler.cs (GetClientResponseLinks); placeholders are the extension's.
"""

import json
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

WEBHOOKS = "/runtime/webhooks/durabletask"
# The client endpoint; in Azure it has a port of its own. Each call of a function has an address there, so that it
# is known who asks.
RPC = "/durabletask"
CALLER = "~"

_PLACEHOLDER = "INSTANCEID"


@dataclass(frozen=True, slots=True)
class Links:
    """Writes URLs for one host."""

    base: str
    hub: str
    key: str = ""

    def seen_from(self, url: str) -> "Links":
        """Answer the links for somebody who reached the host by this URL, through whatever lies between."""
        parts = urlsplit(url)
        return replace(self, base=f"{parts.scheme}://{parts.netloc}")

    @property
    def _query(self) -> str:
        return f"taskHub={quote(self.hub)}&connection=Storage&code={quote(self.key)}"

    def management(self, instance_id: str) -> dict[str, str]:
        """Answer all management URLs of an instance."""
        here = f"{self.base}{WEBHOOKS}/instances/{quote(instance_id)}"
        query = self._query
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{here}?{query}",
            "sendEventPostUri": f"{here}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{here}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{here}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{here}?{query}",
            "restartPostUri": f"{here}/restart?{query}",
            "suspendPostUri": f"{here}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{here}/resume?reason={{text}}&{query}",
        }

    def check_status(self, instance_id: str) -> dict[str, str]:
        """Answer what a start is answered with; it offers no rewind."""
        return {name: url for name, url in self.management(instance_id).items() if name != "rewindPostUri"}

    def binding(self, caller: str) -> str:
        """Write the durable client binding for one call of a function: what the SDK makes its client of."""
        create = f"{self.base}{WEBHOOKS}/orchestrators/{{functionName}}[/{{instanceId}}]"
        return json.dumps(
            {
                "taskHubName": self.hub,
                "connectionName": None,
                "creationUrls": {
                    "createNewInstancePostUri": f"{create}?code={quote(self.key)}",
                    "createAndWaitOnNewInstancePostUri": (
                        f"{create}?timeout={{timeoutInSeconds}}&pollingInterval={{intervalInSeconds}}"
                        f"&code={quote(self.key)}"
                    ),
                },
                "managementUrls": self.management(_PLACEHOLDER),
                "baseUrl": f"{self.base}{WEBHOOKS}",
                "requiredQueryStringParameters": f"code={quote(self.key)}",
                "rpcBaseUrl": f"{self.base}{RPC}/{CALLER}{caller}/",
                "httpBaseUrl": f"{self.base}{WEBHOOKS}",
            }
        )
