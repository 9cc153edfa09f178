"""Doing the same for several machines of one vault, side by side, after one look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from gateway.azure import Azure
from gateway.sight import Sight


class _Asked(Protocol):
    """An order about one machine."""

    @property
    def vault(self) -> str | None: ...
    @property
    def machine(self) -> str: ...


A = TypeVar("A", bound=_Asked)
R = TypeVar("R")


def together(azure: Azure, asked: Sequence[A], do: Callable[[Azure, A, Sight | None], R]) -> tuple[R, ...]:
    """Do something for each order, as many at once as the settings allow; answers come in the orders' order.

    The orders of one stage are about machines of one vault.
    """
    names = [each.machine for each in asked]
    sight = next((Sight(azure.vault(each.vault), names) for each in asked if each.vault), None)

    def one(each: A) -> R:
        return do(azure, each, sight)

    with ThreadPoolExecutor(max_workers=azure.settings.parallel_calls) as pool:
        return tuple(pool.map(one, asked))
