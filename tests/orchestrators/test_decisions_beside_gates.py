"""Beside a run's gates it is remembered which decision went where, and which no gate took in."""

from __future__ import annotations

import json
from typing import Any

from domain.tally import REFUSED_KEPT
from orchestrators.decisions import SENT_KEPT, run_decisions


class Entity:
    """The durable entity context, on a value of our own."""

    def __init__(self) -> None:
        self.state: Any = None
        self.operation_name: str | None = None
        self._input: Any = None
        self.result: Any = None

    def ask(self, operation: str, about: Any = None) -> Any:
        self.operation_name, self._input = operation, about
        run_decisions(self)
        return self.result

    def get_input(self) -> Any:
        return self._input

    def get_state(self, initializer: Any = None) -> Any:
        return self.state if self.state is not None else (initializer and initializer())

    def set_state(self, state: Any) -> None:
        self.state = state

    def set_result(self, result: Any) -> None:
        self.result = result


def test_nothing_is_known_at_first() -> None:
    assert Entity().ask("read") == {"sent": {}, "strays": []}


def test_it_is_known_where_a_decision_was_sent_last() -> None:
    entity = Entity()
    entity.ask("sent", {"id": "d-1", "key": "fb-1:2-ask-commit"})
    entity.ask("sent", {"id": "d-1", "key": "fb-1:4-ask-commit"})
    assert entity.ask("read")["sent"] == {"d-1": "fb-1:4-ask-commit"}


def stray(name: str, **more: Any) -> dict[str, Any]:
    said = {"id": name, "gate": "commit", "by": "eve", "decision": "approve", "at": "2026-11-20T02:00:00Z"}
    return {**said, "judgement": "stale", **more}


def test_a_stray_is_kept_once() -> None:
    entity = Entity()
    for why in ("too early", "too late"):
        entity.ask("stray", stray("d-1", why=why))
    assert [(each["id"], each["why"]) for each in entity.ask("read")["strays"]] == [("d-1", "too late")]


def test_only_the_newest_are_kept() -> None:
    entity = Entity()
    for number in range(SENT_KEPT + 5):
        entity.ask("sent", {"id": f"d-{number}", "key": "k"})
    sent = list(entity.ask("read")["sent"])
    assert (sent[0], sent[-1], len(sent)) == ("d-5", f"d-{SENT_KEPT + 4}", SENT_KEPT)


def test_who_sends_very_many_strays_pushes_out_their_own_and_nobody_elses() -> None:
    entity = Entity()
    entity.ask("stray", stray("first", by="ann"))
    for number in range(REFUSED_KEPT + 5):
        entity.ask("stray", stray(f"d-{number}"))
    kept = [each["id"] for each in entity.ask("read")["strays"]]
    assert (kept[0], kept[1], kept[-1], len(kept)) == ("first", "d-6", f"d-{REFUSED_KEPT + 4}", REFUSED_KEPT)


def test_a_stray_is_kept_in_brief_however_much_was_sent() -> None:
    entity = Entity()
    names = [f"vm-{number}" for number in range(1_000)]
    points = {name: {"select": "latest"} for name in names}
    entity.ask("stray", stray("long", comment="x" * 2_000, machines=names, recoveryPoints=points))
    assert len(json.dumps(entity.state)) < 4_000
