"""Whom Azure takes us for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from azure.core.credentials import TokenCredential

from domain.settings import Settings
from gateway.lazy import Lazy

if TYPE_CHECKING:
    import azure.identity as sdk
else:
    sdk = Lazy("azure.identity")

# App Service and Functions announce their token service by this variable (azure-identity, app_service.py).
IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT"


def make_credential(settings: Settings, environment: Mapping[str, str] | None = None) -> TokenCredential:
    """Give the managed identity where there is one, and the developer's own sign-in elsewhere.

    Tokens are cached by the credential, so one process must share one; the identity's variables are read
    when it is made.
    """
    given = os.environ if environment is None else environment
    if given.get(IDENTITY_ENDPOINT):
        return sdk.ManagedIdentityCredential(client_id=settings.client_id)
    return sdk.DefaultAzureCredential(authority=settings.authority, managed_identity_client_id=settings.client_id)
