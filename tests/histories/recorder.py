"""Recording what the orchestrators are asked and answer, and asking them the same again.

A recording holds, for each execution of each orchestrator in a scenario, the last question that the durable host
put to it (its whole history) and the steps it had scheduled by then. Code of a later version must schedule the
same steps when it is asked the same, or a run in flight dies of it.

    python -m tests.histories.recorder      records the present version; never over another one
"""

from __future__ import annotations

import functools
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tests.rehearsal
from tests.histories.scenarios import SCENARIOS, Scenario

HERE: Final = Path(__file__).parent
HOST: Final = json.loads((HERE.parents[1] / "host.json").read_text())
VERSION: Final[str] = HOST["extensions"]["durableTask"]["defaultVersion"]
ADVICE: Final = """
The steps that an orchestrator schedules have changed. A run in flight replays its history on the new code, and
fails where the two differ. So, before this is deployed (docs/upgrading.md):
  1. raise extensions.durableTask.defaultVersion in host.json;
  2. let the orchestrator keep the old steps for older runs: branch on context.version;
  3. record the new version: make histories. The recordings of older versions stay and must still replay.
Where no run can be in flight, as before the first release, record anew: make histories ANEW=1.
"""
# The SDK's numbers of action types (azure-functions-durable 1.7, ActionType).
_ACTIVITY, _ACTIVITY_RETRIED, _CHILD, _CHILD_RETRIED, _ANEW, _TIMER, _EVENT, _ENTITY = range(8)
_HTTP, _SIGNAL, _ANY, _ALL = 8, 9, 11, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of one orchestrator: who, what the host asked last, and the steps scheduled by then."""

    function: str
    instance: str
    question: str
    steps: tuple[str, ...]
    done: bool


class Tape:
    """Takes down what orchestrators are asked and answer."""

    def __init__(self) -> None:
        self._executions: dict[tuple[str, str], Execution] = {}

    @property
    def executions(self) -> list[Execution]:
        """Every execution, in the order of its first step."""
        return list(self._executions.values())

    def over(self, functions: Sequence[Any]) -> list[Any]:
        """Give an app's functions, with a microphone at its orchestrators."""
        return [Taped(each, self) if _is_orchestrator(each) else each for each in functions]

    def take(self, function: str, question: str, answer: str) -> None:
        """Take down one step; it replaces the one before, whose history it contains."""
        asked = json.loads(question)
        instance = asked["instanceId"]
        began = next(each["Timestamp"] for each in asked["history"])
        steps, done = _read(answer)
        execution = Execution(function=function, instance=instance, question=question, steps=steps, done=done)
        self._executions[instance, began] = execution


class Taped:
    """One orchestrator with a microphone; otherwise the function that it was."""

    def __init__(self, raw: Any, tape: Tape) -> None:
        self._raw, self._tape = raw, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def get_user_function(self) -> Callable[..., Any]:
        call, name = self._raw.get_user_function(), self._raw.get_function_name()

        @functools.wraps(call)
        def taped(context: Any) -> str:
            answer: str = call(context)
            self._tape.take(name, context.body, answer)
            return answer

        return taped


def _is_orchestrator(raw: Any) -> bool:
    return raw.get_trigger().type == "orchestrationTrigger"


def _read(answer: str) -> tuple[tuple[str, ...], bool]:
    """Read the steps out of what the SDK answers: all that were scheduled since the execution began."""
    state = json.loads(answer)
    return tuple(_words(each) for group in state["actions"] for each in group), bool(state["isDone"])


def _words(action: Mapping[str, Any]) -> str:
    kind = action["actionType"]
    if kind in {_ANY, _ALL}:
        inner = ", ".join(_words(each) for each in action["compoundActions"])
        return f"{'any' if kind == _ANY else 'all'} of ({inner})"
    if kind in {_ACTIVITY, _ACTIVITY_RETRIED}:
        return f"activity {action['functionName']}"
    if kind in {_CHILD, _CHILD_RETRIED}:
        return f"child {action['functionName']}"
    if kind in {_ENTITY, _SIGNAL}:
        entity = str(action["instanceId"]).split("@")[1]
        return f"{'ask' if kind == _ENTITY else 'tell'} {entity} {action['operation']}"
    if kind == _EVENT:
        return f"event {action['externalEventName']}"
    return {_ANEW: "begin anew", _TIMER: "timer", _HTTP: "http"}[kind]


# -- playing and asking again ---------------------------------------------------------------------------------


def play(scenario: Scenario) -> list[Execution]:
    """Play a scenario on the virtual clock and take down every execution."""
    tape = Tape()
    tests.rehearsal.listening = tape.over
    try:
        scenario()
    finally:
        tests.rehearsal.listening = list
    assert tape.executions, "nothing was heard"
    return tape.executions


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the SDK needs of a function's context."""

    body: str


def registered() -> dict[str, Callable[[Any], str]]:
    """Give the app's orchestrators as the Functions host calls them."""
    each = [raw for raw in tests.rehearsal.FUNCTIONS if _is_orchestrator(raw)]
    return {raw.get_function_name(): raw.get_user_function() for raw in each}


def ask_again(execution: Execution, orchestrator: Callable[[Any], str]) -> tuple[tuple[str, ...], bool]:
    """Put the recorded question to an orchestrator and give the steps that it schedules now."""
    try:
        answer = orchestrator(_Asked(execution.question))
    except Exception as error:  # noqa: BLE001 - the SDK raises what the orchestrator raised, and says all in the text
        return (f"raised: {str(error).splitlines()[0]}",), True
    return _read(answer)


# -- files ----------------------------------------------------------------------------------------------------


def recorded(version: str | None = None) -> Iterator[tuple[str, str, Execution]]:
    """Give every recorded execution with its version and its scenario."""
    for file in sorted(HERE.glob(f"{version or '*'}/*.json.gz")):
        document = json.loads(gzip.decompress(file.read_bytes()))
        for each in document["executions"]:
            made = Execution(**{**each, "steps": tuple(each["steps"])})
            yield file.parent.name, file.name.removesuffix(".json.gz"), made


def record(name: str, executions: Sequence[Execution]) -> None:
    """Write what was taken down; the same executions make the same file."""
    folder = HERE / VERSION
    folder.mkdir(exist_ok=True)
    rows = [
        {name: getattr(each, name) for name in ("function", "instance", "question", "steps", "done")}
        for each in executions
    ]
    text = json.dumps({"version": VERSION, "executions": rows}, indent=1)
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def main(arguments: Sequence[str]) -> int:
    """Record every scenario of the present version."""
    if (HERE / VERSION).exists() and "--anew" not in arguments:
        sys.stderr.write(f"version {VERSION} is recorded already; raise it in host.json first{ADVICE}")
        return 2
    for name, scenario in SCENARIOS.items():
        executions = play(scenario)
        record(name, executions)
        sys.stdout.write(f"{name}: {len(executions)} executions\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
