"""What every channel's message has in common, whatever its format."""

from __future__ import annotations

from domain.notices import Notice

BUTTON = "Review and decide"
LOOK = "Open the run"


def button(notice: Notice) -> str:
    """Name the button that leads to the page."""
    return BUTTON if notice.ask else LOOK


def closing(notice: Notice, page: str | None) -> tuple[str, ...]:
    """Say how to get there where no button can; nobody configured where people reach the app."""
    if page is not None:
        return ()
    return (f"On the command line: failback {'decide' if notice.ask else 'watch'} {notice.run}",)
