"""What Entra says of somebody, whichever way it came: a person, or an app that acts for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.people import Caller, Method, Role
from domain.settings import Settings

# By name; each list holds every value that was said. Entra's own short names and, behind App Service, the long
# ones that its claims mapping makes of some of them.
Claims = Mapping[str, Sequence[str]]

_SOAP: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_SCHEMA: Final = "http://schemas.microsoft.com/identity/claims"
_OBJECT: Final = ("oid", f"{_SCHEMA}/objectidentifier")
_TENANT: Final = ("tid", f"{_SCHEMA}/tenantid")
_SCOPE: Final = ("scp", f"{_SCHEMA}/scope")
_ROLES: Final = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_NAMES: Final = ("preferred_username", "upn", f"{_SOAP}/upn", "email", f"{_SOAP}/emailaddress")
_APP: Final = ("azp", "appid")
# With more groups than fit, Entra leaves them out and says where they could be asked for.
_OVERAGE: Final = ("hasgroups", "_claim_names")
_LONGEST_NAME: Final = 256


class ClaimsError(Exception):
    """What was said does not name anybody; the message says why, and holds nothing secret."""


def caller(settings: Settings, claims: Claims, method: Method, address: str | None = None) -> Caller:
    """Say who somebody is, by what Entra says of them.

    Raises:
        ClaimsError: they belong to another tenant, or have no name and no object id.
    """
    tenant = _first(claims, _TENANT)
    if settings.tenant_id and tenant.casefold() != settings.tenant_id.casefold():
        raise ClaimsError("signed in at another tenant than this app's")
    is_app = _is_app(claims)
    object_id = _first(claims, _OBJECT)
    name = _first(claims, _APP if is_app else _NAMES) or object_id
    if not name:
        raise ClaimsError("neither a sign-in name nor an object id is said")
    person = settings.person_id(name, object_id)
    return Caller(
        id=person,
        name=name[:_LONGEST_NAME],
        also=settings.names_of(person),
        groups=tuple(claims.get("groups", ())),
        groups_unknown=_overage(claims),
        roles=known_roles(_all(claims, _ROLES)),
        is_app=is_app,
        method=method,
        address=address,
    )


def known_roles(said: Iterable[str]) -> tuple[Role, ...]:
    """Keep the roles of this app; what else a token carries is for others."""
    values = set(said)
    return tuple(role for role in Role if role.value in values)


def scopes(claims: Claims) -> frozenset[str]:
    """Give what a person let an app do for them; nothing, where an app acts by itself."""
    return frozenset(scope for said in _all(claims, _SCOPE) for scope in said.split())


def _is_app(claims: Claims) -> bool:
    """Tell an app from a person: a token for an app names the app, and no scope of anybody."""
    return "app" in claims.get("idtyp", ()) or (bool(_first(claims, _APP)) and not scopes(claims))


def _overage(claims: Claims) -> bool:
    said = [value for name in _OVERAGE for value in claims.get(name, ())]
    return any(value.casefold() == "true" or '"groups"' in value for value in said)


def _all(claims: Claims, names: Sequence[str]) -> list[str]:
    return [value for name in names for value in claims.get(name, ())]


def _first(claims: Claims, names: Sequence[str]) -> str:
    return next((value.strip() for value in _all(claims, names) if value.strip()), "")
