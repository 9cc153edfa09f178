"""All operations, and the router that finds the one a call means."""

from __future__ import annotations

from simulator.neighbour_routes import NEIGHBOURS
from simulator.route import Basis, Route
from simulator.site_recovery_routes import SITE_RECOVERY

__all__ = ["ROUTES", "Basis", "Route", "Router"]

ROUTES: tuple[Route, ...] = (*SITE_RECOVERY, *NEIGHBOURS)


class Router:
    """Finds the route of a call; ARM paths are compared without regard to case."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.template.strip("/").split("/")
            shape = (route.method, len(parts))
            self._by_shape.setdefault(shape, []).append((parts, route))

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Answer the route and what its path named, or None."""
        given = path.strip("/").split("/")
        for parts, route in self._by_shape.get((method, len(given)), []):
            params = _bind(parts, given)
            if params is not None:
                return route, params
        return None


def _bind(parts: list[str], given: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, value in zip(parts, given, strict=True):
        if part.startswith("{"):
            params[part[1:-1]] = value
        elif part.lower() != value.lower():
            return None
    return params
