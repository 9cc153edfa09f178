"""Gather anew what was approved, and say what is otherwise than it was shown."""

from __future__ import annotations

from activities.azure import Document, azure
from activities.make_plan import Gathering
from domain import recheck as again
from domain.errors import Transient
from domain.recheck import Rechecked, RecheckRequest
from gateway.azure import Azure
from gateway.faults import Refused


def recheck(request: Document) -> Document:
    """Check some machines again; raises when the vault cannot be read now, for the step to be repeated."""
    return recheck_for(azure(), RecheckRequest.from_wire(request)).to_wire()


def recheck_for(azure: Azure, request: RecheckRequest) -> Rechecked:
    """Read what planning reads, for these machines alone, and let the domain compare."""
    try:
        machines = azure.vault(request.request.vault).machines()
    except Refused as refused:
        raise Transient(str(refused)) from refused
    return again.recheck(request, Gathering(azure, request.request, machines).facts())
