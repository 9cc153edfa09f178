"""What the doors answer, field by field: for whoever reads the API's description, and checked against answers.

A field that has nothing to say is null or missing; a reader must bear fields that are not named here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refusal
from domain.gate import Entry, Judgement
from domain.wire import Answer


class Problem(Answer):
    """Why something was not done (RFC 9457, application/problem+json), with every fault at once."""

    type: str
    title: str
    status: int
    detail: str
    faults: tuple[Refusal, ...] = ()
    holder: str | None = Field(default=None, description="The run that holds a machine, or that a key names.")
    judgement: Judgement | None = Field(default=None, description="What became of a decision.")
    checks: tuple[dict[str, Any], ...] | None = Field(default=None, description="What a plan checked.")


class Links(Answer):
    """Where a run is followed; the report is there once it has ended."""

    status_url: str
    page_url: str
    report_url: str


class Started(Links):
    """A run that has begun, or that this Idempotency-Key began before."""

    id: str
    status: str


class Steered(Answer):
    """What a run will do at its next safe point."""

    id: str
    status: str
    words: str


class Taken(Answer):
    """A decision that counts."""

    id: str
    by: str
    judgement: Judgement


class RunSummary(Answer):
    """One run in the list."""

    id: str
    mode: str
    phase: str
    words: str
    outcome: str | None
    started_at: datetime | None
    updated_at: datetime | None
    machines: int


class RunList(Answer):
    """The newest runs first."""

    runs: tuple[RunSummary, ...]


class GateShown(Answer):
    """A gate that waits for people: what it shows, whom it asks, and who has answered.

    `plan_hash` is what a decision names, so that it counts only for what was shown.
    """

    gate: str
    round: int
    key: str
    machines: tuple[str, ...]
    offers: tuple[str, ...]
    shown: dict[str, Any]
    policy: dict[str, Any]
    asked_at: datetime
    deadline: datetime
    plan_hash: str
    decisions: tuple[Entry, ...]


class RunShown(Links):
    """One run as it is now: how far, each machine in words, the gates that are open."""

    id: str
    mode: str
    phase: str
    words: str
    outcome: str | None
    started_at: datetime | None
    updated_at: datetime | None
    vault: str
    requested_by: str | None
    plan_hash: str | None
    group: int
    groups: int
    machines: tuple[dict[str, Any], ...]
    counts: dict[str, int] | None
    blind: dict[str, Any] | None = Field(description="Why Azure could not be looked at, while it cannot.")
    paused: str | None = Field(description="By whom and why the run is held, while it is.")
    gates: tuple[GateShown, ...]
    strays: tuple[Entry, ...] = Field(description="Decisions that no gate took in; they changed nothing.")


class AlertTaken(Answer):
    """An alert that was taken in: stored, known already, or of no route's interest."""

    id: str
    status: str = Field(description="stored, duplicate or ignored.")
    words: str
    routes: dict[str, str] = Field(description="The routes it concerns, and how much of it matters there.")


class AlertRouteShown(Answer):
    """What one alert route remembers, the newest alerts first."""

    route: str
    does: str = Field(description="propose, wake or note.")
    storms: tuple[dict[str, Any], ...]
    alerts: tuple[dict[str, Any], ...]


class AlertList(Answer):
    """What each alert route remembers."""

    routes: tuple[AlertRouteShown, ...]


class Alive(Answer):
    """The app answers."""

    status: str


class Dependency(Answer):
    """One thing the app needs."""

    name: str
    status: str = Field(description="ok, off, or down.")
    words: str


class Dependencies(Answer):
    """What the app needs, and whether it has it; down, when something it cannot do without is missing."""

    status: str
    dependencies: tuple[Dependency, ...]
