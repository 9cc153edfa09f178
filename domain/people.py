"""A person who asks or decides: who they are, what they may do, and how they proved it."""

from __future__ import annotations

from enum import StrEnum

from domain.wire import Answer


class Role(StrEnum):
    """What people may do; the values are the app roles as Entra's tokens carry them.

    A viewer reads and plans. An operator starts, pauses, resumes and cancels. An approver decides at gates. An
    admin may do all of that. Break-glass alone lets one person decide for a whole quorum, and grants nothing
    else.
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

    `id` tells people apart: the Entra object id, or the name in lower case where there is no such id. `name`
    is what others know them by, a sign-in name or a mail address. `groups` are Entra object ids. `address` is
    where the request came from.
    """

    id: str
    name: str
    groups: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    method: Method
    address: str | None = None

    def has(self, *roles: Role) -> bool:
        """Tell whether the person has one of these roles."""
        return any(role in self.roles for role in roles)
