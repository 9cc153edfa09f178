"""One operation as data: what is called, who answers, and how well the answer's shape is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.call import Handler


class Basis(StrEnum):
    """Where an answer's shape comes from."""

    OBSERVED = "observed"
    DOCUMENTED = "documented"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    method: str
    template: str
    handler: Handler
    name: str
    basis: Basis


def observed(method: str, template: str, handler: Handler, name: str) -> Route:
    """Name an operation whose answer was read from a recording."""
    return Route(method, template, handler, name, Basis.OBSERVED)


def documented(method: str, template: str, handler: Handler, name: str) -> Route:
    """Name an operation whose answer was read from documentation or the SDK's models."""
    return Route(method, template, handler, name, Basis.DOCUMENTED)


def invented(method: str, template: str, handler: Handler, name: str) -> Route:
    """Name an operation whose answer nobody recorded."""
    return Route(method, template, handler, name, Basis.INVENTED)


SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
