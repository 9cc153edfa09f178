"""Shared-disk clusters: an estate has none, so none are listed; what is done to one is not simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.envelopes import listing, not_found

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import Response


def list_clusters(call: Call) -> Response:
    """List the clusters of a vault, or of a container that is there: none."""
    call.vault()
    if "container" in call.params:
        call.site()
    return listing([])


def get_cluster(call: Call) -> Response:
    """Answer that a cluster is not there."""
    call.site()
    return not_found(call.params["cluster"], call.trace)
