"""The Azure that the registered activities act through, and the shape of what they exchange."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Dict, TypeAlias  # noqa: UP035 - see Document

from gateway.azure import Azure

# The Functions indexer takes typing's Dict for a JSON object, and refuses dict[str, Any].
Document: TypeAlias = Dict[str, Any]  # noqa: UP006


_chosen: list[Azure] = []
# The first activities of a process arrive together, and must share one credential and one budget.
_door = threading.Lock()


def azure() -> Azure:
    """Give this process's one Azure, made from the environment when it is first needed."""
    with _door:
        return _chosen[0] if _chosen else _from_environment()


@cache
def _from_environment() -> Azure:
    return Azure.from_environment()


def act_through(other: Azure | None) -> None:
    """Let every activity act through another Azure, as tests do; None goes back to the environment's."""
    _chosen.clear()
    if other is not None:
        _chosen.append(other)
