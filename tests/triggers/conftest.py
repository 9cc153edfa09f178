"""What tests of doors are given: the app's routes on one simulated estate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localhost import SyncHost
from tests.rehearsal import Rehearsal


@pytest.fixture
def host() -> Iterator[SyncHost]:
    """Give a host of the app where people name themselves."""
    with Rehearsal().host() as host:
        yield host
