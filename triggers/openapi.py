"""The API's description as OpenAPI 3.1, made from the table of routes and the models that doors read and answer.

`python -m triggers.openapi` prints it as Markdown, which docs/api.md holds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal, cast

import azure.functions as func
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from triggers.answers import Problem
from triggers.client import Client
from triggers.doors import HTML, JSON, Route, as_document
from triggers.problems import answer

Document = dict[str, Any]
_REF: Final = "#/components/schemas/{model}"
_SNAKE: Final = re.compile("[A-Z]")
_PROBLEM: Final = "application/problem+json"
_SECURITY: Final[Mapping[str, Document]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the app's Entra tenant, made for the app.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "AppServiceAuthSession",
        "description": "A sign-in by App Service authentication.",
    },
    "declared": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Failback-User",
        "description": "A name that is taken at its word, where FAILBACK_IDENTITY is declared: on one's own "
        "machine. X-Failback-Roles may say which roles; without it, all.",
    },
}
_PARAMETERS: Final[Mapping[str, str]] = {"id": "The run's id.", "token": "The token of a link."}


async def show_openapi(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Describe the API as OpenAPI 3.1."""
    del req, client
    from triggers.routes import ROUTES  # noqa: PLC0415 - the table holds this door too

    return answer(document(ROUTES))


def document(routes: Sequence[Route]) -> Document:
    """Describe routes."""
    refs, schemas = _schemas(routes)
    paths: dict[str, Document] = {}
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "failback",
            "version": "1",
            "summary": "Brings Azure VMs home that Site Recovery failed over.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": dict(_SECURITY)},
    }


Kind = Literal["validation", "serialization"]
Refs = Mapping[tuple[type[BaseModel], Kind], Document]


def _schemas(routes: Sequence[Route]) -> tuple[Refs, Document]:
    """Give how each model is referred to, reading or answering, and all their schemas."""
    wanted: dict[tuple[type[BaseModel], Kind], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.takes is not None:
            wanted[route.takes, "validation"] = None
        for kind in route.gives.values():
            if not isinstance(kind, str):
                wanted[kind, "serialization"] = None
    refs, known = models_json_schema(list(wanted), by_alias=True, ref_template=_REF)
    return cast("Refs", refs), {name: _in_wire_words(schema) for name, schema in known["$defs"].items()}


def _in_wire_words(schema: Document) -> Document:
    """Let a description name fields as they are on the wire."""
    fields = {
        re.sub("([A-Z])", lambda found: f"_{found[0].lower()}", name): name
        for name in schema.get("properties", {})
    }
    words = re.sub(r"`(\w+)`", lambda found: f"`{fields.get(found[1], found[1])}`", schema.get("description", ""))
    return {**schema, "description": " ".join(words.split())} if words else schema


def _operation(route: Route, refs: Refs) -> Document:
    said: Document = {
        "operationId": route.door.__name__,
        "summary": summary(route),
        "responses": dict(_responses(route, refs)),
        "security": [{name: []} for name in _SECURITY] if route.roles else [],
        "x-failback-roles": [role.value for role in route.roles],
    }
    parameters = list(_parameters(route))
    if parameters:
        said["parameters"] = parameters
    if route.method == "POST":
        schema = refs[route.takes, "validation"] if route.takes is not None else _of_form(route)
        said["requestBody"] = {"required": route.must_take, "content": {route.body: {"schema": schema}}}
    return said


def _of_form(route: Route) -> Document:
    """Describe the fields of a form; each is text."""
    fields = {name: {"type": "string", "description": words} for name, words in route.fields.items()}
    return {"type": "object", **({"properties": fields} if fields else {})}


def summary(route: Route) -> str:
    """Say what a door does: the first sentence of its docstring."""
    return (route.door.__doc__ or "").strip().splitlines()[0]


def _parameters(route: Route) -> Iterator[Document]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string"},
        }
    for name, words in route.query.items():
        yield {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}
    for name, words in route.headers.items():
        yield {"name": name, "in": "header", "description": words, "schema": {"type": "string"}}


def _responses(route: Route, refs: Refs) -> Iterator[tuple[str, Document]]:
    for status, kind in route.gives.items():
        media = kind if isinstance(kind, str) else JSON
        schema = _plain(kind) if isinstance(kind, str) else refs[kind, "serialization"]
        content = {media: {"schema": schema}} | {more: {"schema": _plain(more)} for more in route.also}
        yield str(status), {"description": HTTPStatus(status).phrase, "content": content}
    paged = route.worded is not as_document
    refused = {HTML: {"schema": _plain(HTML)}} if paged else {_PROBLEM: {"schema": refs[Problem, "serialization"]}}
    for status in sorted(refusals(route)):
        yield str(status), {"description": REFUSED[status], "content": refused}


def _plain(media: str) -> Document:
    return {"type": "object" if media == JSON else "string"}


# Why a door refuses, in general; a problem's own words say it for the case at hand.
REFUSED: Final[Mapping[int, str]] = {
    400: "the request is at fault; every fault is named",
    401: "nobody is known to be asking, or they are not believed",
    403: "the person may not, or another site's page sent it",
    404: "there is no such run, or no such link",
    409: "something else stands in the way; the problem says what",
    410: "it is over",
    413: "the body is too large",
    415: "the body is of another kind",
    500: "the app's settings cannot be used, or it has a fault",
    503: "something the app needs does not answer now",
    504: "it takes longer than an answer may",
}


def refusals(route: Route) -> frozenset[int]:
    """Name the statuses with which a door may refuse: those of its kind, and its own."""
    found = {500, *route.refuses}
    if route.roles:
        found |= {401, 403, 503}
    if "{id}" in route.path:
        found |= {404}
    if route.method == "POST":
        found |= {400, 403, 413, 415}
    return frozenset(found)


def markdown(routes: Sequence[Route]) -> str:
    """Write the description for people: a section for each route, a table for each message."""
    described = document(routes)
    refused = [f"| {status} | {words} |" for status, words in REFUSED.items()]
    lines = [_HEAD, "| status | a problem says that |", "|---|---|", *refused, ""]
    for path, operations in described["paths"].items():
        for method, said in operations.items():
            lines += _section(path, method, said)
    lines.append("## Messages\n")
    lines.append(
        "A field with an asterisk must be given, or is always there. Names are those on the wire. What lies"
    )
    lines.append("deeper inside answers is described in `/api/openapi.json` only.\n")
    schemas = described["components"]["schemas"]
    shown = _shown(routes, schemas)
    for name in sorted(shown):
        lines += _message(name, schemas[name], shown)
    return "\n".join(lines).rstrip() + "\n"


def _shown(routes: Sequence[Route], schemas: Document) -> frozenset[str]:
    """Name the messages to write down: all that is sent, down to its last part, and the outermost of answers."""
    given = {kind.__name__ for route in routes for kind in route.gives.values() if not isinstance(kind, str)}
    known, left = {*given, "Problem"}, [route.takes.__name__ for route in routes if route.takes is not None]
    while left:
        name = left.pop()
        if name not in known:
            known.add(name)
            left += re.findall(r"schemas/(\w+)", str(schemas[name]))
    return frozenset(known)


_HEAD: Final = """# The API

Made from the code by `make docs`; `GET /api/openapi.json` answers the same as OpenAPI 3.1. Every path lies under
`/api`. A problem is `application/problem+json` (RFC 9457) with every fault at once. What is sent has
`Content-Type: application/json`, and no key with two underscores on both sides. Nothing here is cached, framed,
or answered to another site's pages.
"""


def _section(path: str, method: str, said: Document) -> list[str]:
    roles = ", ".join(f"`{role}`" for role in said["x-failback-roles"])
    lines = [f"## {method.upper()} {path}\n", f"{said['summary']}\n", f"* who: {roles or 'anybody'}"]
    heeded = [each for each in said.get("parameters", []) if each["in"] != "path"]
    lines += [f"* {each['in']} `{each['name']}`: {each['description']}" for each in heeded]
    for media, content in said.get("requestBody", {}).get("content", {}).items():
        lines.append(f"* takes {_kind(content['schema'])} as `{media}`")
        fields = content["schema"].get("properties", {}).items()
        lines += [f"  * `{name}`: {each['description']}" for name, each in fields]
    given = {status: each for status, each in said["responses"].items() if int(status) < HTTPStatus.BAD_REQUEST}
    for status, response in given.items():
        kinds = [f"{_kind(content['schema'])} as `{media}`" for media, content in response["content"].items()]
        lines.append(f"* {status}: {', '.join(kinds)}")
    return [*lines, f"* refuses with {', '.join(each for each in said['responses'] if each not in given)}", ""]


def _message(name: str, schema: Document, shown: frozenset[str]) -> list[str]:
    words = " ".join(str(schema.get("description", "")).split())
    lines = [f"### {name}\n", f"{words}\n"] if words else [f"### {name}\n"]
    if "enum" in schema:
        return [*lines, ", ".join(f"`{value}`" for value in schema["enum"]) + "\n"]
    needed = schema.get("required", [])
    rows = [
        f"| `{field}`{'*' if field in needed else ''} | {_kind(said, shown)} | {_cell(said)} |"
        for field, said in schema.get("properties", {}).items()
    ]
    return [*lines, "| field | is | means |", "|---|---|---|", *rows, ""]


def _cell(said: Document) -> str:
    words = str(said.get("description", "")).replace("|", "\\|")
    default = said.get("default")
    shown = "" if default in (None, [], {}, "") or isinstance(default, dict) else f" Default `{default}`."
    return f"{words}{shown}".strip()


def _kind(schema: Document, shown: frozenset[str] | None = None) -> str:
    """Say in a few words what a value is; a message is a link where it is shown, as all are without `shown`."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if shown is None or name in shown else name
    if "anyOf" in schema:
        return " or ".join(_kind(each, shown) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), shown)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'], shown)}"
    return str(schema.get("format") or schema.get("type") or "anything")


if __name__ == "__main__":
    from triggers.routes import ROUTES

    sys.stdout.write(markdown(ROUTES))
