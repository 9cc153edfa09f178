"""A person who asks or decides: who they are, what they may do, and how they proved it."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from domain.wire import Answer


class Role(StrEnum):
    """What people may do; the values are the app roles as Entra's tokens carry them.

    A viewer reads and plans, as everybody with a role may. An operator starts, pauses, resumes and cancels. An
    approver decides at gates. An admin may do all of that. Break-glass lets one person decide for a whole
    quorum, and nothing else does, not even admin.
    """

    VIEWER = "Failback.Viewer"
    OPERATOR = "Failback.Operator"
    APPROVER = "Failback.Approver"
    ADMIN = "Failback.Admin"
    BREAK_GLASS = "Failback.BreakGlass"


class Method(StrEnum):
    """How somebody proved who they are."""

    APP_SERVICE = "appService"
    BEARER = "bearer"
    LINK = "link"
    DECLARED = "declared"


class Caller(Answer):
    """Somebody at a door.

    `id` tells people apart: who an alias says they are, else the Entra object id, else the name in lower case.
    `name` is what others know them by, a sign-in name or a mail address; `also` are more names that the settings
    say are theirs. `groups` are Entra object ids;
    `groups_unknown` says that Entra left them out, for there are too many. `is_app` marks an app that acts for
    nobody. `address` is where the request came from, as far as that can be believed.
    """

    id: str
    name: str
    also: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    groups_unknown: bool = False
    is_app: bool = False
    roles: tuple[Role, ...] = ()
    method: Method
    address: str | None = None

    def has(self, *roles: Role) -> bool:
        """Tell whether the person has one of these roles."""
        return any(role in self.roles for role in roles)


def spelt(name: str) -> str:
    """Write a name as names are compared: letter case, Unicode spelling and white space around mean nothing."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())
