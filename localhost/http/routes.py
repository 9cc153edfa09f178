"""The app's own HTTP functions: finding the one that serves a path, and calling it."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azure.functions.meta import Datum

from localhost.functions import AppError, Function
from localhost.http.message import Request, Response
from localhost.invoker import InvocationError, Invoker

_LOG = logging.getLogger("localhost")

# ASP.NET route constraints that the Functions host knows, as patterns.
_CONSTRAINTS = {
    "alpha": "[A-Za-z]+",
    "bool": "(?i:true|false)",
    "datetime": "[^/]+",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?",
    "float": r"-?\d+(?:\.\d+)?",
    "guid": "(?i:[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})",
    "int": r"-?\d+",
    "long": r"-?\d+",
}
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[^{}:?=]+(?:\([^)]*\))?)*)(=[^{}?]*)?(\?)?\}")


@dataclass(frozen=True, slots=True)
class _Route:
    function: Function
    pattern: re.Pattern[str]
    defaults: dict[str, str]
    rank: tuple[int, ...]


class Routes:
    """Serves an app's HTTP functions."""

    def __init__(self, functions: Sequence[Function], prefix: str, invoker: Invoker) -> None:
        self._invoker = invoker
        self._routes = sorted((_route(function, prefix) for function in functions), key=lambda route: route.rank)

    def paths(self) -> list[str]:
        """Answer the routes, for people."""
        return [
            f"{'|'.join(sorted(route.function.methods)) or 'ANY'} {route.function.route}" for route in self._routes
        ]

    async def serve(self, request: Request) -> Response:
        """Answer a request by the function whose route fits best; 404 without one."""
        for route in self._routes:
            found = route.pattern.fullmatch(request.path)
            if found is None:
                continue
            if route.function.methods and request.method not in route.function.methods:
                continue
            values = route.defaults | {
                name: value for name, value in found.groupdict().items() if value is not None
            }
            return await self._call(route.function, request, values)
        return Response(404)

    async def _call(self, function: Function, request: Request, params: dict[str, str]) -> Response:
        try:
            datum = await self._invoker.call(function, _datum(request, params))
        except InvocationError as error:
            _LOG.error("Function %s failed: %s\n%s", function.name, error.message, error.stack)
            return Response(500)
        return _response(datum)


def _route(function: Function, prefix: str) -> _Route:
    template = "/".join(part for part in (prefix, function.route.strip("/")) if part)
    pattern, defaults, rank = "", dict[str, str](), list[int]()
    for segment in template.split("/"):
        text, optional = _segment(function, segment, defaults)
        pattern += f"(?:/{text})?" if optional else f"/{text}"
        rank.append(3 if "{*" in segment else 2 if optional else 1 if "{" in segment else 0)
    return _Route(function, re.compile(f"{pattern}/?", re.IGNORECASE), defaults, tuple(rank))


def _segment(function: Function, segment: str, defaults: dict[str, str]) -> tuple[str, bool]:
    """Answer the pattern of one path segment, and whether it may be absent."""
    text, optional, position = "", False, 0
    for found in _PARAMETER.finditer(segment):
        stars, name, constraints, default, question = found.groups()
        text += re.escape(segment[position : found.start()])
        position = found.end()
        text += f"(?P<{name}>{'.*' if stars else _constraint(function, constraints)})"
        if default is not None:
            defaults[name] = default[1:]
        optional = optional or bool(question) or default is not None or bool(stars)
    rest = segment[position:]
    if "{" in rest or "}" in rest:
        raise AppError(f"cannot load the {function.name} function: its route '{function.route}' is not understood")
    return text + re.escape(rest), optional


def _constraint(function: Function, text: str) -> str:
    for one in filter(None, text.split(":")):
        name = one.split("(")[0].lower()
        if name in _CONSTRAINTS:
            return _CONSTRAINTS[name]
        if name not in ("length", "minlength", "maxlength", "min", "max", "range", "required", "regex"):
            raise AppError(
                f"cannot load the {function.name} function: its route has an unknown constraint '{one}'"
            )
    return "[^/]+"


def _datum(request: Request, params: dict[str, str]) -> Datum:
    def texts(values: dict[str, str]) -> dict[str, Datum]:
        return {name: Datum(value, "string") for name, value in values.items()}

    query: dict[str, str] = {}
    for name, value in request.query:
        query[name] = f"{query[name]},{value}" if name in query else value
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(request.url, "string"),
            "headers": texts(dict(request.headers)),
            "query": texts(query),
            "params": texts(params),
            "body": Datum(request.body, "bytes"),
        },
        "http",
    )


def _response(datum: Any) -> Response:
    if datum is None:
        return Response(204)
    if datum.type == "string":
        return Response(200, [("Content-Type", "text/plain; charset=utf-8")], str(datum.value).encode())
    value = datum.value
    headers = [(str(name), str(header.value)) for name, header in value["headers"].items()]
    for cookie in value["cookies"] or ():
        headers += [("Set-Cookie", morsel.OutputString()) for morsel in cookie.values()]
    return Response(int(value["status_code"].value), headers, bytes(value["body"].value))
