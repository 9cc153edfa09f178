from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

from gateway.sight import FRESH_FOR, HANDFUL, Once, Sight
from gateway.site_recovery import API_VERSION
from simulator.transport import SimulatorCredential
from tests.activities.conftest import SUBSCRIPTION, VAULT, World, make_world
from tests.rehearsal import standing

NAMES = [f"Web{number}" for number in range(HANDFUL + 1)]


@pytest.fixture
def world() -> World:
    world = make_world(*(standing("protected-in-reverse", name) for name in NAMES))
    world.item_id(NAMES[0])
    world.wire.sent.clear()
    return world


def names_seen(world: World, sight: Sight, names: list[str]) -> list[str]:
    found = [sight.machine(name, world.item_ids[name], None) for name in names]
    return [each.snapshot.name for each in found if each is not None]


def test_all_who_ask_at_once_share_one_read_and_its_answer() -> None:
    begun, go = threading.Event(), threading.Event()
    reads: list[int] = []

    def read() -> int:
        reads.append(1)
        begun.set()
        assert go.wait(10)
        return 7

    once, answers = Once(read), []
    threads = [threading.Thread(target=lambda: answers.append(once.read())) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert (answers, len(reads)) == ([7] * 20, 1)


def test_a_read_that_fails_fails_all_who_ask() -> None:
    outcomes = iter([ValueError("no"), ValueError("never asked")])

    def read() -> int:
        raise next(outcomes)

    once = Once(read)
    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            once.read()


def test_more_than_a_handful_of_machines_are_seen_by_one_list(world: World) -> None:
    sight = Sight(world.azure.vault(VAULT), NAMES)
    assert names_seen(world, sight, NAMES) == NAMES
    assert len(world.wire.sent) == 1


def test_a_handful_of_machines_are_seen_one_by_one(world: World) -> None:
    few = NAMES[:HANDFUL]
    assert names_seen(world, Sight(world.azure.vault(VAULT), few), few) == few
    assert [sent.url.split("?")[0].rsplit("/", 1)[-1] for sent in world.wire.sent] == few


def test_what_was_seen_too_long_ago_is_looked_at_again(world: World) -> None:
    sight = Sight(world.azure.vault(VAULT), NAMES)
    names_seen(world, sight, NAMES)
    world.wait(FRESH_FOR - timedelta(seconds=1))
    names_seen(world, sight, NAMES[:1])
    assert len(world.wire.sent) == 1
    world.wait(timedelta(seconds=2))
    # Azure's clock is read from its answers.
    list(world.azure.vault(VAULT).jobs())
    names_seen(world, sight, NAMES[:1])
    assert len(world.wire.sent) == 3


def test_a_machine_that_the_list_lacks_is_lost(world: World) -> None:
    sight = Sight(world.azure.vault(VAULT), [*NAMES, "Gone"])
    assert sight.machine("Gone", world.item_ids[NAMES[0]].replace(NAMES[0], "Gone"), None) is None


def test_the_machines_that_are_wanted_are_read_as_all_of_them_are(world: World) -> None:
    vault = world.azure.vault(VAULT)
    wanted = vault.machines({NAMES[1].casefold()})
    assert wanted == tuple(each for each in vault.machines() if each.snapshot.name == NAMES[1])


def test_items_are_listed_in_the_version_that_the_sdk_speaks(world: World) -> None:
    client: Any = SiteRecoveryManagementClient(SimulatorCredential(world.simulator), SUBSCRIPTION)
    assert client._config.api_version == API_VERSION
