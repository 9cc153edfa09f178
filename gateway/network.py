"""What Network says: of a virtual network, and of the network cards of a machine."""

from __future__ import annotations

from typing import Any, Final, cast

from domain.contract import Network
from domain.machine import Wiring, region
from gateway.faults import Refused
from gateway.pipeline import ArmReader

_API: Final = "2024-05-01"
_SUBNETS: Final = "/subnets/"


class Networks:
    """Reads of Microsoft.Network."""

    def __init__(self, reader: ArmReader) -> None:
        self._reader = reader

    def network(self, network_id: str) -> Network | None:
        """Read where a virtual network lies and what it is peered with, or nothing when there is none."""
        found = self._find(network_id)
        return _network(found) if found else None

    def card(self, card_id: str) -> Wiring | None:
        """Read how a network card is connected, or nothing when there is none."""
        found = self._find(card_id)
        return _wiring(found) if found else None

    def _find(self, arm_id: str) -> dict[str, Any] | None:
        try:
            return self._reader.get(arm_id, _API)
        except Refused as refused:
            if refused.is_not_found:
                return None
            raise


def _network(document: dict[str, Any]) -> Network:
    properties = _part(document, "properties")
    return Network(
        id=str(document.get("id")),
        location=region(str(document.get("location") or "")),
        peers=tuple(peer for peer in map(_remote, _parts(properties, "virtualNetworkPeerings")) if peer),
    )


def _remote(peering: dict[str, Any]) -> str:
    return _id(_part(peering, "properties"), "remoteVirtualNetwork") or ""


def _wiring(document: dict[str, Any]) -> Wiring:
    """Read a card by its primary IP configuration, which is the first where none is marked."""
    properties = _part(document, "properties")
    configs = [_part(each, "properties") for each in _parts(properties, "ipConfigurations")]
    config = next((each for each in configs if each.get("primary")), next(iter(configs), _NOTHING))
    network, _, subnet = _split(_id(config, "subnet") or "")
    pools = (each.get("id") for each in _parts(config, "loadBalancerBackendAddressPools"))
    return Wiring(
        name=str(document.get("name") or "") or None,
        network=network or None,
        subnet=subnet or None,
        address=config.get("privateIPAddress") or None,
        security_group=_id(properties, "networkSecurityGroup"),
        pools=tuple(str(pool) for pool in pools if pool),
        public_address=_id(config, "publicIPAddress"),
    )


_NOTHING: Final[dict[str, Any]] = {}


def _split(subnet_id: str) -> tuple[str, str, str]:
    at = subnet_id.casefold().find(_SUBNETS)
    return (subnet_id, "", "") if at < 0 else (subnet_id[:at], _SUBNETS, subnet_id[at + len(_SUBNETS) :])


def _id(document: dict[str, Any], name: str) -> str | None:
    return _part(document, name).get("id") or None


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", document.get(name) or {})


def _parts(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", document.get(name) or [])
