from pathlib import Path

import pytest

from localhost.testing import Hosts


@pytest.fixture
def hosts(open_host: Hosts) -> Hosts:
    """Opens hosts on a virtual clock, and closes them when the test is over."""
    return open_host


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file that is not there yet."""
    return tmp_path / "state.db"
