"""What every test may count on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.azure import act_through
from identity import clock, tokens

pytest_plugins = ["localhost.pytest_plugin"]


@pytest.fixture(autouse=True)
def _no_other_azure() -> Iterator[None]:
    """Give activities back to the environment's Azure after a test that put another in its place."""
    yield
    act_through(None)


@pytest.fixture(autouse=True)
def _no_other_time() -> Iterator[None]:
    """Give people back to the wall's clock after a test that put another in its place."""
    yield
    clock.go_by(None)


@pytest.fixture(autouse=True)
def _no_other_tenant() -> Iterator[None]:
    """Trust the tenant's own keys again after a test that put others in their place."""
    yield
    tokens.trust(None)
