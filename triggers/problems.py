"""What a door says when it cannot do what was asked: RFC 9457 problem details, every fault at once.

A problem never carries a stack trace, a key or a management URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

import azure.functions as func
from pydantic import ValidationError

from domain.errors import Refusal, bounded
from domain.wire import Wire

Message = TypeVar("Message", bound=Wire)

# A thousand machines with a recovery point of their own take less than half of this.
LARGEST_BODY = 1_048_576
_TOO_MANY = 100


class ProblemError(Exception):
    """A request that ends in a problem document."""

    def __init__(
        self,
        status: HTTPStatus,
        title: str,
        detail: str = "",
        faults: Iterable[Refusal] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.headers = headers or {}
        self.document = {
            "type": "about:blank",
            "title": title,
            "status": status.value,
            "detail": detail or title,
            "faults": [fault.to_wire() for fault in list(faults)[:_TOO_MANY]],
            **more,
        }

    def response(self) -> func.HttpResponse:
        """Word the problem for the caller."""
        return func.HttpResponse(
            json.dumps(self.document, ensure_ascii=False),
            status_code=self.status.value,
            mimetype="application/problem+json",
            headers={"Cache-Control": "no-store", **self.headers},
        )


def answer(document: Any, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> func.HttpResponse:
    """Answer with a JSON document."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return func.HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status_code=status.value,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", **named},
    )


def read(req: func.HttpRequest, message: type[Message], largest: int = LARGEST_BODY) -> Message:
    """Read a request's body as a message.

    Raises:
        ProblemError: naming every fault: not JSON, too large, unknown or wrong fields.
    """
    document = parsed(req.get_body() or b"", largest)
    try:
        return message.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        places = [each["loc"] for each in errors]
        # A list whose items are at fault is "too short" as well; only the items' own faults help.
        faults = [
            fault
            for each in errors
            for fault in faults_of(each)
            if not any(place[: len(each["loc"])] == each["loc"] != place for place in places)
        ]
        raise bad(faults) from None


def bad(faults: Sequence[Refusal], title: str = "") -> ProblemError:
    """Word all that is wrong with a request, at once."""
    counted = f"the request has {len(faults)} fault{'s' if len(faults) > 1 else ''}"
    lines = [f"{fault.about}: {fault.what}" for fault in faults[:10]]
    return ProblemError(HTTPStatus.BAD_REQUEST, title or counted, "; ".join(lines), faults)


def unknown(about: str, given: str, known: Iterable[str]) -> Refusal:
    """Word that something is none of the few things that it may be."""
    return Refusal(
        code="enum",
        what=f"there is no {bounded(given, 40)!r}",
        remedy=f"send one of {', '.join(known)}",
        about=about,
    )


def parsed(body: bytes, largest: int = LARGEST_BODY) -> Any:
    """Read a body as JSON.

    Raises:
        ProblemError: 413 for one that is too large, 400 for what is no JSON or names Python objects.
    """
    if len(body) > largest:
        detail = f"the body has {len(body):,} bytes, at most {largest:,} are read"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too large", detail)
    document = _json(body)
    _names_no_objects(document)
    return document


def _json(body: bytes) -> Any:
    remedy = "send one JSON object"
    try:
        # Some senders mark their UTF-8, which JSON lets a reader ignore.
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        detail, remedy = "it is not UTF-8", "send the body as UTF-8"
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno}, column {error.colno}: {error.msg}" if body else "the body is empty"
    except RecursionError:
        detail = "it is nested too deeply"
    except ValueError as error:
        detail = str(error)
    fault = Refusal(code="json", what=bounded(detail), remedy=remedy, about="body")
    raise bad([fault], "the body is not JSON")


# azure-functions-durable makes objects of what bears these names, by any class that is loaded.
_MARKERS: Final = re.compile(r"__\w+__")


def _names_no_objects(document: Any) -> None:
    """Refuse keys that stand for Python objects, wherever they are.

    Raises:
        ProblemError: 400, naming every place.
    """
    left, found = list[tuple[str, Any]]([("", document)]), list[Refusal]()
    while left:
        place, value = left.pop()
        inside = [(f"{place}.{name}".lstrip("."), name, each) for name, each in _inside(value)]
        found += [_marked(path) for path, name, _ in inside if _MARKERS.fullmatch(name)]
        left += [(path, each) for path, _, each in inside]
    if found:
        raise bad(found, "the request holds a key that is not allowed")


def _inside(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).items())
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    return [(str(number), each) for number, each in enumerate(listed)]


def _marked(place: str) -> Refusal:
    what = "a key with two underscores on both sides names a Python object, and none is made here"
    return Refusal(code="forbidden_key", what=what, remedy="remove the key", about=bounded(place, 200))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# By a part of pydantic's name for the fault; the first that fits.
_REMEDIES: Final[Mapping[str, str]] = {
    "extra_forbidden": "remove the field, or mend its spelling: names are in camelCase",
    "missing": "give this field",
    "enum": "send one of those that are named",
    "literal": "send one of those that are named",
    "time_delta": "write it as an ISO 8601 duration, as in PT15M or P1D",
    "datetime": "write it with its offset, as in 2026-11-22T02:00:00Z",
    "date": "write it as in 2026-11-22",
    "time": "write it as in 22:00",
    "too_": "stay within what is said",
    "greater": "stay within what is said",
    "less": "stay within what is said",
    "pattern": "leave out the characters that no name or id has",
    "_type": "send a value of that kind",
    "_parsing": "send a value of that kind",
}
_MEND: Final = "change it as is said; docs/api.md tells what goes with what"


def faults_of(error: Any) -> list[Refusal]:
    """Word what pydantic found in one place; a validator of ours may have found several faults at once."""
    return [fault_of({**error, "msg": each}) for each in str(error["msg"]).splitlines()]


def fault_of(error: Any) -> Refusal:
    """Word one fault that pydantic found."""
    about = ".".join(str(part) for part in error["loc"]) or "request"
    what = str(error["msg"]).removeprefix("Value error, ")
    of_all = error["type"] == "missing" or isinstance(error.get("input"), dict)
    given = "" if of_all else f" (given: {bounded(repr(error.get('input')), 80)})"
    return Refusal(
        code=error["type"],
        what=bounded(f"{what}{given}", 400),
        remedy=next((words for kind, words in _REMEDIES.items() if kind in error["type"]), _MEND),
        about=bounded(about, 200),
    )
