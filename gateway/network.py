"""What Network says of a virtual network."""

from __future__ import annotations

from typing import Any, Final, cast

from domain.contract import Network
from domain.machine import region
from gateway.faults import Refused
from gateway.pipeline import ArmReader

_API: Final = "2024-05-01"


class Networks:
    """Reads of Microsoft.Network."""

    def __init__(self, reader: ArmReader) -> None:
        self._reader = reader

    def network(self, network_id: str) -> Network | None:
        """Read where a virtual network lies and what it is peered with, or nothing when there is none."""
        try:
            found = self._reader.get(network_id, _API)
        except Refused as refused:
            if refused.is_not_found:
                return None
            raise
        return _network(found)


def _network(document: dict[str, Any]) -> Network:
    properties = cast("dict[str, Any]", document.get("properties") or {})
    peerings = cast("list[dict[str, Any]]", properties.get("virtualNetworkPeerings") or [])
    return Network(
        id=str(document.get("id")),
        location=region(str(document.get("location") or "")),
        peers=tuple(peer for peer in (_remote(each) for each in peerings) if peer),
    )


def _remote(peering: dict[str, Any]) -> str:
    properties = cast("dict[str, Any]", peering.get("properties") or {})
    remote = cast("dict[str, Any]", properties.get("remoteVirtualNetwork") or {})
    return str(remote.get("id") or "")
