"""What a handler is given: the request, what its path named, and the world."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from simulator.arm import Scope, key
from simulator.envelopes import Refused, Trace, arm_not_found, not_found, plain_error, refused
from simulator.messages import Response

if TYPE_CHECKING:
    from simulator.messages import Request
    from simulator.model import Fabric, Item, Site, Vault
    from simulator.world import World

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One matched call."""

    request: Request
    params: dict[str, str]
    world: World
    trace: Trace

    def vault(self) -> Vault:
        """Answer the vault the path names; ARM's 404 where there is none."""
        scope = Scope(self.params["subscription"], self.params["group"])
        found = self.world.vaults.get(
            key(scope.resource("Microsoft.RecoveryServices/vaults", self.params["vault"]))
        )
        if found is None:
            kind = "Microsoft.RecoveryServices/vaults"
            raise Refused(arm_not_found(kind, self.params["vault"], self.params["group"]))
        return found

    def site(self) -> Site:
        """Answer the container the path names, by its name or its GUID."""
        fabric, wanted = self.fabric(), self.params["container"].lower()
        for site in self.vault().containers_of(fabric):
            if wanted in {site.container.lower(), site.container_guid}:
                return site
        raise Refused(not_found(self.params["container"], self.trace))

    def fabric(self) -> Fabric:
        """Answer the fabric the path names."""
        found = self.vault().fabric(self.params["fabric"])
        if found is None:
            raise Refused(not_found(self.params["fabric"], self.trace))
        return found

    def item(self) -> Item:
        """Answer the protected item the path names; 404 where it is not, or is no longer."""
        found = self.world.items.get(key(self.site().item_id(self.params["item"])))
        if found is None:
            raise Refused(not_found(self.params["item"], self.trace))
        return found

    def body(self, model: type[Body]) -> Body:
        """Read the body as `model`; 400 in the service's envelope where it does not fit."""
        try:
            return model.model_validate(self.request.json())
        except (ValidationError, ValueError) as fault:
            # invented: the code and words of a malformed body
            message = re.sub(r"\s+", " ", str(fault))[:400]
            answer = refused(400, "InvalidParameter", message, "Correct the body.", self.trace)
            raise Refused(answer) from fault

    def bad_request(self, code: str, message: str) -> Refused:
        """Make the 400 of ARM's own shape, to be raised."""
        return Refused(plain_error(400, code, message))


Handler: TypeAlias = Callable[[Call], Response]
