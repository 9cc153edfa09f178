"""Modules that are loaded when something of theirs is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module until then.

    Site Recovery's SDK takes half a second and some 60 MB, which every new instance of the app would pay before
    its first answer, though most of what it answers never speaks to Site Recovery.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Give the module's own; loading it twice at once is Python's to prevent."""
        return getattr(import_module(self._name), attribute)
