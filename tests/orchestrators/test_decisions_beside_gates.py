"""Beside a run's gates it is remembered which decision went where, and which no gate took in."""

from __future__ import annotations

from typing import Any

from orchestrators.decisions import SENT_KEPT, STRAYS_KEPT, run_decisions


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


def test_a_stray_is_kept_once() -> None:
    entity = Entity()
    for why in ("too early", "too late"):
        entity.ask("stray", {"id": "d-1", "why": why})
    assert entity.ask("read")["strays"] == [{"id": "d-1", "why": "too late"}]


def test_only_the_newest_are_kept() -> None:
    entity = Entity()
    for number in range(SENT_KEPT + 5):
        entity.ask("sent", {"id": f"d-{number}", "key": "k"})
        entity.ask("stray", {"id": f"d-{number}"})
    known = entity.ask("read")
    assert len(known["sent"]) == SENT_KEPT
    assert "d-4" not in known["sent"]
    assert [each["id"] for each in known["strays"]][:: STRAYS_KEPT - 1] == [
        f"d-{SENT_KEPT - 95}",
        f"d-{SENT_KEPT + 4}",
    ]
