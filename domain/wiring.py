"""How a machine is connected: what Site Recovery was told to make, and what is there.

Site Recovery brings up network cards by the settings of the protected item. What they leave open it does not
carry over, so a security group or a load balancer of the machine in the secondary region may be missing at home.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from domain.contract import Compared
from domain.machine import PlannedCard, Wiring, last_segment, same_id

NONE = "none"
# What a card has of its own; an isolated network is not expected to offer the like.
_SOME = "some, as in the secondary region"


def compare(
    expected: Sequence[Wiring], found: Sequence[Wiring], source: Sequence[Wiring] = ()
) -> tuple[Compared, ...]:
    """Compare card by card, in order; `source` are the cards of the machine in the secondary region.

    What the settings leave open is expected to exist where the source has one.
    """
    count = Compared(
        what="network cards",
        expected=str(len(expected)),
        found=str(len(found)),
        same=len(expected) == len(found),
    )
    cards = zip_longest(expected, found[: len(expected)], source[: len(expected)])
    return (count, *(row for number, card in enumerate(cards, 1) for row in _card(number, *card)))


def _card(number: int, expected: Wiring, found: Wiring | None, source: Wiring | None) -> Iterator[Compared]:
    if found is None:
        return
    for what, name in _FIELDS.items():
        wanted, had = _ids(expected, name), _ids(source, name)
        has = _ids(found, name)
        if wanted:
            same = sorted(each.casefold() for each in wanted) == sorted(each.casefold() for each in has)
            yield _row(number, what, _shown(wanted), _shown(has), same=same)
        elif had and name in _OF_ITS_OWN:
            yield _row(number, what, _SOME, _shown(has), same=bool(has))


_FIELDS = {
    "name": "name",
    "network": "network",
    "subnet": "subnet",
    "private address": "address",
    "security group": "security_group",
    "load balancer pools": "pools",
    "public address": "public_address",
}
_OF_ITS_OWN = frozenset({"security_group", "pools", "public_address"})


def _ids(wiring: Wiring | None, name: str) -> tuple[str, ...]:
    value: str | tuple[str, ...] | None = getattr(wiring, name, None)
    values = (value,) if isinstance(value, str) else value or ()
    return tuple(each.rstrip("/") for each in values if each)


def _shown(ids: tuple[str, ...]) -> str:
    return ", ".join(_name(each) for each in ids) or NONE


def _name(arm_id: str) -> str:
    """Shorten an id; a pool is known by its load balancer."""
    parts = arm_id.split("/")
    pooled = "backendaddresspools" in arm_id.casefold() and len(parts) > 2  # noqa: PLR2004 - owner, kind, name
    return f"{parts[-3]}/{parts[-1]}" if pooled else last_segment(arm_id)


def _row(number: int, what: str, expected: str, found: str, *, same: bool) -> Compared:
    return Compared(what=f"{what} of card {number}", expected=expected, found=found, same=same)


def expected_wiring(cards: Sequence[PlannedCard], test_network: str | None) -> tuple[Wiring, ...]:
    """Say how the cards of a machine should be connected: at home, or as a test machine in a network.

    A test failover goes to the network it was asked for; the item's own settings for tests hold only there.
    """
    if test_network is None:
        return tuple(card.failover for card in cards)
    return tuple(
        card.test if same_id(card.test.network, test_network) else Wiring(network=test_network) for card in cards
    )
