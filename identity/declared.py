"""People who name themselves: on this very machine, for trying things out, and nowhere else."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote, unquote

from domain.people import Caller, Method, Role
from domain.settings import Settings, SettingsError
from domain.settings.azure import is_loopback
from identity.claims import ClaimsError

USER: Final = "X-Failback-User"
ROLES: Final = "X-Failback-Roles"
_COOKIE: Final = "failback-user"
_LONGEST_NAME: Final = 256
_BY_NAME: Final = {role.value.removeprefix("Failback.").casefold(): role for role in Role}


def read(settings: Settings, user: str, roles: str | None, host: str) -> Caller | None:
    """Take somebody's word for who they are and what they may do; without a word on roles, they have all.

    `host` is where the request was sent to: a page from elsewhere can make a browser send one here under
    another name, never under this machine's own.

    Raises:
        SettingsError: the app runs in Azure, where nobody's word is taken.
        ClaimsError: the request was sent to another host than this machine, or a role does not exist.
    """
    if settings.is_in_azure:
        raise SettingsError("FAILBACK_IDENTITY: declared is for local use only, and this app runs in Azure")
    if not is_loopback(host):
        raise ClaimsError("names are only declared on this very machine, at localhost or 127.0.0.1")
    name = user.strip()[:_LONGEST_NAME]
    if not name:
        return None
    person = settings.person_id(name)
    also = settings.names_of(person)
    return Caller(id=person, name=name, also=also, roles=_roles(roles), method=Method.DECLARED)


def remember(user: str) -> str:
    """Let a browser say a name from now on, for it cannot send a header of ours; as a Set-Cookie header."""
    return f"{_COOKIE}={quote(user.strip()[:_LONGEST_NAME], safe='')}; Path=/; HttpOnly; SameSite=Strict"


def remembered(cookies: str) -> str:
    """Give the name that a browser was told to say, from its Cookie header; nothing where there is none."""
    try:
        found = SimpleCookie(cookies).get(_COOKIE)
    except CookieError:
        return ""
    return unquote(found.value) if found else ""


def _roles(said: str | None) -> tuple[Role, ...]:
    if said is None:
        return tuple(Role)
    names = [name.strip().casefold().removeprefix("failback.") for name in said.split(",") if name.strip()]
    strangers = [name for name in names if name not in _BY_NAME]
    if strangers:
        raise ClaimsError(f"there is no role {strangers[0][:40]!r}; there are {', '.join(_BY_NAME)}")
    return tuple(role for name, role in _BY_NAME.items() if name in names)
