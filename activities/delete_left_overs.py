"""Ask for the deletion of what tests left behind; whoever asks has proven that it is ours."""

from __future__ import annotations

from activities.azure import Document, azure
from domain.errors import FailbackError, bounded
from domain.leftovers import Deleted, DeleteRequest
from gateway.azure import Azure


def delete_left_overs(request: Document) -> Document:
    """Ask for each deletion once; what Azure refuses now is tried again by whoever looks next."""
    return delete(azure(), DeleteRequest.from_wire(request)).to_wire()


def delete(azure: Azure, request: DeleteRequest) -> Deleted:
    """Delete one after another: a card can go only when its machine has gone."""
    refused: dict[str, str] = {}
    for each in request.ids:
        try:
            azure.deletions.delete(each)
        except (FailbackError, ValueError) as error:
            refused[each] = bounded(str(error), 300)
    return Deleted(refused=refused)
