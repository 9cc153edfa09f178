"""Name the channels on which a notice is told."""

from __future__ import annotations

from activities.azure import Document, azure
from domain.notices import Channels, Notice


def channels(request: Document) -> Document:
    """Name the channels that are configured now, without saying where they lead."""
    notice = Notice.from_wire(request)
    approvers = notice.ask.approvers if notice.ask else ()
    return Channels(names=azure().settings.channels(approvers)).to_wire()
