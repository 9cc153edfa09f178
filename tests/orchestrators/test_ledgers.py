"""The entities that remember: each operation alone, and twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrators.ledgers import decision_ledger, machine_lock, run_control, run_memory, run_register


class Entity:
    """One entity with its memory, asked one thing at a time."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function
        self._state: Any = None
        self.operation_name: str | None = None
        self.result: Any = None
        self._input: Any = None

    def ask(self, operation: str, about: Any = None) -> Any:
        self.operation_name, self._input, self.result = operation, about, None
        self._function(self)
        return self.result

    def get_input(self) -> Any:
        return self._input

    def get_state(self, initializer: Callable[[], Any] | None = None) -> Any:
        return self._state if self._state is not None or initializer is None else initializer()

    def set_state(self, state: Any) -> None:
        self._state = state

    def set_result(self, result: Any) -> None:
        self.result = result


def test_a_lock_has_one_holder_until_that_one_gives_it_back() -> None:
    lock = Entity(machine_lock)
    assert lock.ask("take", {"run": "a"}) == {"holder": "a"}
    assert lock.ask("take", {"run": "a"}) == {"holder": "a"}
    assert lock.ask("take", {"run": "b"}) == {"holder": "a"}
    assert lock.ask("release", {"run": "b"}) == {"holder": "a"}
    assert lock.ask("release", {"run": "a"}) == {"holder": None}
    assert lock.ask("read") == {"holder": None}


def test_what_people_want_of_a_run_is_remembered_until_they_want_otherwise() -> None:
    control, now = Entity(run_control), "2026-11-20T02:00:00Z"
    assert control.ask("read") == {"pauses": []}
    control.ask("pause", {"by": "dana", "reason": "wait", "at": now})
    assert control.ask("read")["paused"] == "paused by dana: wait"
    control.ask("resume", {"by": "olive", "at": now})
    assert "paused" not in control.ask("read")
    control.ask("withdraw", {"reason": "resolved"})
    control.ask("cancel", {"by": "dana", "reason": "wrong night"})
    control.ask("cancel", {"by": "olive", "reason": "another"})
    read = control.ask("read")
    assert (read["cancelled"], read["withdrawn"]) == ("wrong night (dana)", "resolved")


def test_a_cancel_of_an_older_version_still_counts() -> None:
    control = Entity(run_control)
    control.set_state({"cancelled": "wrong night (dana)", "by": "dana", "reason": "wrong night", "at": None})
    assert control.ask("read")["cancelled"] == "wrong night (dana)"


def test_the_register_keeps_the_newest_first_and_each_once() -> None:
    register = Entity(run_register)
    for run in ("a", "b", "a"):
        register.ask("add", {"id": run})
    assert register.ask("read") == {"runs": ["a", "b"]}


def test_a_run_remembers_what_it_was_told_last_until_it_forgets() -> None:
    memory = Entity(run_memory)
    assert memory.ask("read") is None
    memory.ask("keep", {"passes": 1})
    memory.ask("keep", {"passes": 2})
    assert memory.ask("read") == {"passes": 2}
    memory.ask("forget")
    assert memory.ask("read") is None


def test_the_register_forgets_what_is_no_more_and_nothing_else() -> None:
    register = Entity(run_register)
    for run in ("a", "b", "c"):
        register.ask("add", {"id": run})
    assert register.ask("forget", {"ids": ["b", "never-there"]}) == {"runs": ["c", "a"]}
    assert register.ask("forget", {"ids": ["b"]}) == {"runs": ["c", "a"]}


def test_a_decision_at_a_gate_that_was_never_opened_leaves_nothing() -> None:
    ledger = Entity(decision_ledger)
    assert ledger.ask("decide", {"id": "x"}) is None
    assert ledger.get_state() is None
