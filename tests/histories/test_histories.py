"""A run in flight survives a deployment: recorded histories replay, and the steps are those that are recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from azure.durable_functions import Orchestrator

from domain import contract
from orchestrators import steps as wording
from orchestrators.context import Context, Runbook
from orchestrators.failback import failback
from tests.histories.recorder import ADVICE, HERE, VERSION, Execution, ask_again, play, recorded, registered
from tests.histories.scenarios import SCENARIOS

BY_NAME = registered()
VERSIONS = sorted(folder.name for folder in HERE.iterdir() if any(folder.glob("*.json.gz")))


def test_the_version_that_would_be_deployed_is_recorded() -> None:
    assert VERSION in VERSIONS, ADVICE


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_history_replays_on_the_present_code(version: str) -> None:
    for _, scenario, execution in recorded(version):
        again = ask_again(execution, BY_NAME[execution.function])
        assert again == (execution.steps, execution.done), f"{scenario}, {execution.instance}{ADVICE}"


def test_every_orchestrator_is_recorded() -> None:
    assert {execution.function for _, _, execution in recorded(VERSION)} == set(BY_NAME), ADVICE


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_new_run_takes_the_steps_that_are_recorded(name: str) -> None:
    before = sorted(told(each) for _, scenario, each in recorded(VERSION) if scenario == name)
    assert sorted(told(each) for each in play(SCENARIOS[name])) == before, ADVICE


def told(execution: Execution) -> tuple[str, list[str]]:
    """Give an execution's steps; whether a notice is still under way when a run asks is nobody's to say."""
    return execution.function, [step for step in execution.steps if contract.ASK_HERALDS not in step]


def doctored(context: Context) -> Runbook[Any]:
    """Take a run's locks before looking, which is the runbook's first two steps the wrong way round."""
    yield from wording.ask_entities(context, contract.MACHINE_LOCK, ["key"], "take", {"run": "run"})
    yield context.call_activity_with_retry(contract.MAKE_PLAN, wording.RETRY, {})


def test_two_steps_the_wrong_way_round_do_not_replay() -> None:
    run = next(each for _, _, each in recorded(VERSION) if each.function == contract.FAILBACK)
    assert ask_again(run, Orchestrator.create(doctored)) != (run.steps, run.done)


def branching(context: Context) -> Runbook[Any]:
    """Do as docs/upgrading.md says: the old steps for older runs, the new ones for the rest."""
    return (yield from (failback if context.version == VERSION else doctored)(context))


def test_an_older_run_keeps_its_steps_where_the_code_branches_on_its_version() -> None:
    run = next(each for _, _, each in recorded(VERSION) if each.function == contract.FAILBACK)
    asked = json.loads(run.question)
    started = next(event for event in asked["history"] if event.get("Name") == contract.FAILBACK)
    assert started["Version"] == VERSION
    started["Version"] = "9.0"
    newer = replace(run, question=json.dumps(asked))
    assert ask_again(run, Orchestrator.create(branching)) == (run.steps, run.done)
    assert ask_again(newer, Orchestrator.create(branching)) == ask_again(newer, Orchestrator.create(doctored))
    assert ask_again(newer, Orchestrator.create(branching)) != (run.steps, run.done)


def test_the_advice_says_what_to_do() -> None:
    assert "defaultVersion" in ADVICE
    assert "context.version" in ADVICE
    assert "make histories" in ADVICE


def test_an_execution_is_told_by_what_the_host_asked() -> None:
    first: Execution = play(SCENARIOS["only_a_plan"])[0]
    assert ask_again(first, BY_NAME[first.function]) == (first.steps, first.done)
