"""The runs that are recorded: together they take every orchestrator through every kind of step."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from domain.settings import Settings
from gateway.azure import Azure
from simulator.transport import SimulatorCredential
from tests.alerts import payloads
from tests.alerts.world import alerts, recovered
from tests.orchestrators.test_drills import pass_time, ticking
from tests.rehearsal import NAME, Door, Rehearsal, standing

Scenario = Callable[[], object]


def one_machine_comes_home() -> object:
    return Rehearsal().play()


def two_groups_with_two_approvers() -> object:
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in ("web", "db")])
    machines = [{"name": "db", "group": 1}, {"name": "web", "group": 2}]

    def answers(gate: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"decision": "approve"}

    return rehearsal.play(answers, machines=machines)


def a_drill() -> object:
    return Rehearsal().play(mode="drill")


def only_a_plan() -> object:
    return Rehearsal().play(mode="plan")


def nobody_answers() -> object:
    return Rehearsal().play(lambda _: None)


def another_point_at_both_gates() -> object:
    rehearsal = Rehearsal()

    def answers(gate: Mapping[str, Any]) -> Mapping[str, Any]:
        if gate["round"] == 1:
            points = {NAME: {"select": "latestProcessed"}}
            return {"decision": "changeRecoveryPoint", "recoveryPoints": points}
        return {"decision": "approve"}

    return rehearsal.play(answers)


def a_failed_commit_is_tried_again() -> object:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="commit")
    return rehearsal.play({"intervention": {"decision": "retry"}})


def approved_for_later() -> object:
    rehearsal = Rehearsal()

    def answers(gate: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"decision": "approve", "notBefore": (rehearsal.clock.now() + timedelta(hours=9)).isoformat()}

    return rehearsal.play(answers)


def nobody_is_reached() -> object:
    """Notices go to a port where nobody listens: every herald and courier goes its whole way."""
    rehearsal, key = Rehearsal(), base64.b64encode(b"k" * 32).decode()
    told = Settings.from_environment(
        {"FAILBACK_WEBHOOK": "http://127.0.0.1:9/", "FAILBACK_WEBHOOK_KEYS": f"whsec_{key}"}
    )
    rehearsal.azure = Azure.over(told, SimulatorCredential(rehearsal.simulator), Door(rehearsal.simulator))
    return rehearsal.play(approvals={"remindEvery": "PT1H"})


def an_alert_proposes_a_run() -> object:
    with alerts(recovered()) as world:
        world.hear(payloads.service_health("Resolved"))
        world.until(lambda: bool(world.runs()))
        world.rehearsal.run = str(world.runs()[0].instance_id)
        return world.rehearsal.finish(world.host)


def the_calendar_holds_a_drill() -> object:
    rehearsal = Rehearsal()
    with ticking(rehearsal) as host:
        pass_time(host, rehearsal, hours=8)
    return None


SCENARIOS: Final[Mapping[str, Scenario]] = {
    each.__name__: each
    for each in (
        one_machine_comes_home,
        two_groups_with_two_approvers,
        a_drill,
        only_a_plan,
        nobody_answers,
        another_point_at_both_gates,
        a_failed_commit_is_tried_again,
        approved_for_later,
        nobody_is_reached,
        an_alert_proposes_a_run,
        the_calendar_holds_a_drill,
    )
}
