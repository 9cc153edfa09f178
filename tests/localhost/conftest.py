from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from localhost import SyncHost, VirtualClock

Hosts = Callable[..., SyncHost]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Opens hosts on a virtual clock, and closes them when the test is over."""
    with ExitStack() as stack:

        def open_host(app: Any, **options: Any) -> SyncHost:
            options.setdefault("clock", VirtualClock())
            return stack.enter_context(SyncHost(app, **options))

        yield open_host


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file that is not there yet."""
    return tmp_path / "state.db"
