"""What Site Recovery was told to make is compared with what is there, card by card."""

from __future__ import annotations

from typing import Any

import pytest

from domain.machine import PlannedCard, Wiring
from domain.wiring import compare, expected_wiring

GROUP = "/subscriptions/s/resourceGroups/home/providers/Microsoft.Network"
NET = f"{GROUP}/virtualNetworks/prod"
ISOLATED = f"{GROUP}/virtualNetworks/isolated"
POOL = f"{GROUP}/loadBalancers/front/backendAddressPools/web"
GOOD = Wiring(
    name="nic",
    network=NET,
    subnet="default",
    address="10.4.0.6",
    security_group=f"{GROUP}/networkSecurityGroups/web",
    pools=(POOL,),
    public_address=f"{GROUP}/publicIPAddresses/pip",
)


def differing(expected: Wiring, found: Wiring, source: Wiring | None = None) -> dict[str, tuple[str, str]]:
    rows = compare([expected], [found], [source] if source else [])
    return {row.what: (row.expected, row.found) for row in rows if not row.same}


def test_what_is_as_expected_differs_in_nothing() -> None:
    rows = compare([GOOD], [GOOD])
    assert all(row.same for row in rows)
    assert len(rows) == 8


def test_letter_case_and_the_order_of_pools_mean_nothing() -> None:
    other = POOL.replace("web", "api")
    expected, found = GOOD.having(pools=(POOL, other)), GOOD.having(pools=(other.upper(), POOL))
    assert differing(expected.having(network=NET.upper()), found) == {}


@pytest.mark.parametrize(
    ("change", "what", "words"),
    [
        ({"network": ISOLATED}, "network of card 1", ("prod", "isolated")),
        ({"subnet": "other"}, "subnet of card 1", ("default", "other")),
        ({"address": "10.4.0.7"}, "private address of card 1", ("10.4.0.6", "10.4.0.7")),
        ({"security_group": None}, "security group of card 1", ("web", "none")),
        ({"pools": ()}, "load balancer pools of card 1", ("front/web", "none")),
        ({"public_address": None}, "public address of card 1", ("pip", "none")),
        ({"name": "nic2"}, "name of card 1", ("nic", "nic2")),
    ],
)
def test_each_difference_is_named(change: dict[str, Any], what: str, words: tuple[str, str]) -> None:
    assert differing(GOOD, GOOD.having(**change)) == {what: words}


def test_what_was_left_open_may_be_anything() -> None:
    assert differing(Wiring(), GOOD) == {}


def test_what_the_source_had_of_its_own_is_missed_where_the_settings_are_silent() -> None:
    found = Wiring(network=NET, subnet="default", address="10.4.0.9")
    missed = differing(Wiring(), found, GOOD)
    assert set(missed) == {
        f"{each} of card 1" for each in ("security group", "load balancer pools", "public address")
    }
    assert set(missed.values()) == {("some, as in the secondary region", "none")}
    assert differing(Wiring(), GOOD, GOOD) == {}


@pytest.mark.parametrize(("expected", "found"), [(2, 1), (1, 2)])
def test_a_card_too_few_or_too_many_is_told_once(expected: int, found: int) -> None:
    rows = compare([GOOD] * expected, [GOOD] * found)
    assert [row.what for row in rows if not row.same] == ["network cards"]


def test_a_failover_and_a_test_each_have_their_settings() -> None:
    test = Wiring(network=ISOLATED, subnet="lab")
    cards = [PlannedCard(failover=GOOD, test=test)]
    assert expected_wiring(cards, None) == (GOOD,)
    assert expected_wiring(cards, ISOLATED.upper()) == (test,)
    assert expected_wiring(cards, f"{GROUP}/virtualNetworks/third") == (
        Wiring(network=f"{GROUP}/virtualNetworks/third"),
    )
