"""What App Service authentication says of who is asking.

The platform puts X-MS-CLIENT-PRINCIPAL before the app, and drops what came under that name from outside. It
does so only while it is switched on, and only for paths that are not excluded from it: whoever reads the header
elsewhere believes anybody.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from domain.people import Caller, Method
from domain.settings import Settings
from identity import claims
from identity.claims import Claims, ClaimsError

HEADER: Final = "X-MS-CLIENT-PRINCIPAL"
# Other identity providers let people choose their names.
_ENTRA: Final = "aad"
# The platform's own limit for all headers of a request lies below this.
_LARGEST: Final = 65_536


def read(settings: Settings, header: str, address: str | None = None) -> Caller:
    """Say who is asking, by the header's value.

    Raises:
        ClaimsError: it cannot be read, comes from another provider, or names nobody of this tenant.
    """
    document = _document(header)
    if document.get("auth_typ") != _ENTRA:
        raise ClaimsError("signed in with another provider than Microsoft Entra")
    return claims.caller(settings, _claims(document), Method.APP_SERVICE, address)


def _document(header: str) -> Mapping[str, Any]:
    try:
        document = json.loads(base64.b64decode(header, validate=True)) if len(header) <= _LARGEST else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ClaimsError("the platform's word on who is asking cannot be read")
    return cast("Mapping[str, Any]", document)


def _claims(document: Mapping[str, Any]) -> Claims:
    said: dict[str, list[str]] = {}
    listed = document.get("claims")
    for each in cast("list[Any]", listed) if isinstance(listed, list) else []:
        match each:
            case {"typ": str(name), "val": str(value)}:
                said.setdefault(name, []).append(value)
            case _:
                pass
    return said
