"""What can go wrong, in four kinds that are never mixed.

::

    FailbackError
    ├── Transient     429, 5xx, time-out, closed connection: raise; the step's retry repeats it
    ├── Undecided     an act was sent and no answer came: nobody knows; look, never send again blindly
    └── Throttled     Azure refused for now and says how long to wait; surely nothing was started

    Refusal           a value, not an exception: wrong state, quota, not found, not permitted. Retrying
                      cannot help, and exception types do not survive the durable wire

A bug of ours is whatever else is raised, and fails loudly.
"""

from __future__ import annotations

from datetime import timedelta

from domain.wire import Answer

# History keeps every error for years and a status holds 16 KB: long texts are cut here.
LONGEST_TEXT = 1_000


def bounded(text: str, limit: int = LONGEST_TEXT) -> str:
    """Cut a text that Azure may have made arbitrarily long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class FailbackError(Exception):
    """Anything failback raises on purpose."""


class Transient(FailbackError):  # noqa: N818 - the kind is the name
    """Azure could not answer now; the same question may be answered later."""


class Undecided(FailbackError):  # noqa: N818 - the kind is the name
    """An act was sent and its answer was lost: it may or may not run."""


class Throttled(FailbackError):  # noqa: N818 - the kind is the name
    """Azure refused for now; nothing was started."""

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refusal(Answer):
    """Why something cannot be done, and what would help.

    `code` is stable and for programs (Azure's own where Azure refused), `what` and `remedy` are for people,
    `about` names the machine or the field, `correlation` is what Azure's support asks for.
    """

    code: str
    what: str
    remedy: str
    about: str | None = None
    correlation: str | None = None
