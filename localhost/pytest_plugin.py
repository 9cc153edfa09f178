"""The local host as pytest fixtures: `pytest_plugins = ["localhost.pytest_plugin"]` in the topmost conftest.py.

`open_host(app, **options)` opens a host on a virtual clock and closes it after the test;
`crash_anywhere(app, play)` plays with a crash at every commit. `--localhost-seed N` is the order of work in both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localhost.testing import CrashAnywhere, Hosts


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose the seed."""
    parser.addoption(
        "--localhost-seed",
        type=int,
        default=0,
        help="the order of work in open_host and crash_anywhere",
    )


def _seed(request: pytest.FixtureRequest) -> int:
    return int(str(request.config.getoption("--localhost-seed")))


@pytest.fixture
def open_host(request: pytest.FixtureRequest) -> "Iterator[Hosts]":
    """Opens local hosts on a virtual clock, and closes them when the test is over."""
    from localhost.testing import Hosts  # noqa: PLC0415  a suite that opens no host need not load an SDK

    with Hosts(_seed(request)) as hosts:
        yield hosts


@pytest.fixture
def crash_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> "CrashAnywhere":
    """Plays with a crash before and after every commit; each must end as the undisturbed play does."""
    from localhost.testing import CrashAnywhere  # noqa: PLC0415  see above

    return CrashAnywhere(tmp_path, _seed(request))
