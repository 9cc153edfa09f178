"""Rights: the action a call needs, and whether the estate denies it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from simulator.arm import is_within
from simulator.envelopes import plain_error

if TYPE_CHECKING:
    from simulator.estate import Estate
    from simulator.messages import Request, Response

_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
CALLER = "00000000-0000-0000-0000-00000000c0de"


def action_of(request: Request) -> str:
    """Answer the action a call needs, as role definitions name it: `provider/types/verb`."""
    _, _, rest = request.path.strip("/").rpartition("/providers/")
    parts = rest.split("/")
    types = [part for index, part in enumerate(parts) if index == 0 or index % 2 == 1]
    return "/".join([*types, _VERBS.get(request.method, "read")])


def denied(request: Request, estate: Estate) -> Response | None:
    """Answer 403 for an action the estate denies at this scope; patterns may hold `*`."""
    if not estate.denied:
        return None
    action = action_of(request)
    for rule in estate.denied:
        if is_within(request.path, rule.scope) and fnmatchcase(action.lower(), rule.action.lower()):
            return authorization_failed(action, request.path)
    return None


def authorization_failed(action: str, scope: str) -> Response:
    """Answer 403 as ARM words a missing right (Microsoft's documentation)."""
    message = (
        f"The client '{CALLER}' with object id '{CALLER}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials."
    )
    return plain_error(403, "AuthorizationFailed", message)
