"""What comes in by HTTP: every fault at once, in words, and not one write to Azure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from localhost import Response, SyncHost
from tests.rehearsal import NAME, VAULT, Rehearsal, standing
from triggers import failbacks

DANA = {"X-Failback-User": "dana@contoso.com"}


class Doors:
    """The app's HTTP routes on one simulated estate."""

    def __init__(self, rehearsal: Rehearsal, host: SyncHost) -> None:
        self.rehearsal, self.host = rehearsal, host

    def post(self, path: str, body: Any = None, **more: Any) -> Response:
        return self.host.request("POST", f"/api/failbacks{path}", json=body, headers=DANA, **more)

    def raw(self, body: bytes) -> Response:
        headers = {**DANA, "Content-Type": "application/json"}
        return self.host.request("POST", "/api/failbacks", body=body, headers=headers)

    def get(self, path: str) -> Response:
        return self.host.request("GET", f"/api/failbacks{path}", headers=DANA)

    def start(self, **more: Any) -> Response:
        return self.post("", {"vault": VAULT, "machines": [NAME], **more})

    def writes(self) -> list[Any]:
        return [call for call in self.rehearsal.simulator.journal.calls if call.write]


@pytest.fixture
def doors() -> Iterator[Doors]:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        yield Doors(rehearsal, host)


def faults(answer: Response) -> dict[str, str]:
    problem = answer.json()
    assert dict(answer.headers)["content-type"].startswith("application/problem+json")
    assert "Traceback" not in str(problem)
    return {fault["about"]: fault["what"] for fault in problem["faults"]}


def test_every_fault_of_a_request_is_named_at_once(doors: Doors) -> None:
    body = {
        "vault": "/subscriptions/nonsense",
        "machines": [{"name": "a", "color": "red"}, {"name": ""}],
        "mode": "sideways",
        "testFailover": {"networkId": "isolated"},
        "recoveryPoint": {"select": "custom"},
        "approvals": {"quorum": 0},
        "surprise": True,
    }
    answer = doors.post("", body)
    named = faults(answer)
    assert answer.status == 400
    assert set(named) == {
        "vault",
        "machines.0.color",
        "machines.1.name",
        "mode",
        "testFailover.networkId",
        "recoveryPoint",
        "approvals.quorum",
        "surprise",
    }
    assert all(fault["remedy"] for fault in answer.json()["faults"])
    assert not doors.rehearsal.simulator.journal.calls


# What is wrong in several ways, by route: all of it is named at once, each fault with what would mend it.
WRONG: list[tuple[str, str, Any, set[str]]] = [
    (
        "POST",
        "",
        {
            "vault": "x",
            "machines": [],
            "mode": "sideways",
            "approvals": {"quorum": 0, "timeout": "soon", "onTimeout": "shout", "approvers": [""]},
            "validation": {"heartbeat": "maybe", "blocks": ["luck"]},
            "limits": {"maxParallel": 0},
            "shutDownSource": None,
        },
        {
            "vault",
            "machines",
            "mode",
            "approvals.quorum",
            "approvals.timeout",
            "approvals.onTimeout",
            "approvals.approvers.0",
            "validation.heartbeat",
            "validation.blocks.0",
            "limits.maxParallel",
            "shutDownSource",
        },
    ),
    (
        "POST",
        "/plan",
        {"machines": [{"name": "a/b", "group": 0}]},
        {"vault", "machines.0.name", "machines.0.group"},
    ),
    (
        "POST",
        "/{run}/decisions",
        {"gate": "attic", "decision": "perhaps", "planHash": "short", "notBefore": "2026-11-22", "breakGlass": 3},
        {"gate", "decision", "planHash", "notBefore", "breakGlass"},
    ),
    (
        "POST",
        "/{run}/decisions",
        {
            "gate": "commit",
            "decision": "stop",
            "planHash": "0" * 64,
            "recoveryPoints": {"a": {"id": "?"}, "b/": {}},
        },
        {"recoveryPoints.a.id", "recoveryPoints.b/.[key]"},
    ),
    ("POST", "/{run}/pause", {"reason": 3, "why": "x"}, {"reason", "why"}),
    (
        "POST",
        "/{run}/cancel",
        {"a": {"__class__": 1, "b": [{"__module__": 2}]}},
        {"a.__class__", "a.b.0.__module__"},
    ),
    ("POST", "/{run}/resume", [], {"request"}),
    (
        "POST",
        "",
        {"requestedById": "x", "generation": 3, "vault": VAULT, "machines": [NAME]},
        {"requestedById", "generation"},
    ),
    ("GET", "?state=asleep&top=many", None, {"state", "top"}),
    ("GET", "/{run}/evidence?format=stone", None, {"format"}),
]


@pytest.mark.parametrize(("method", "path", "body", "about"), WRONG)
def test_bad_input_lists_every_fault_at_once_each_with_its_remedy(
    doors: Doors, method: str, path: str, body: Any, about: set[str]
) -> None:
    run = doors.start().json()["id"] if "{run}" in path else ""
    answer = doors.host.request(method, f"/api/failbacks{path.format(run=run)}", json=body, headers=DANA)
    assert answer.status == 400, answer.text
    assert set(faults(answer)) == about
    problem = answer.json()
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert all(each["code"] and each["what"] and each["remedy"] for each in problem["faults"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"{", "line 1"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[" * 100_000, "JSON"),
        (b'{"vault": NaN}', "NaN"),
        (b'"just text"', ""),
        (b"[]", ""),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused_in_words(doors: Doors, body: bytes, words: str) -> None:
    answer = doors.raw(body)
    assert answer.status == 400
    assert words in json.dumps(answer.json())


def test_faults_that_only_the_whole_shows_are_named_one_by_one(doors: Doors) -> None:
    policy = {"approvers": ["a"], "quorum": 2, "onTimeout": "escalate", "gates": {"commit": {"quorum": 3}}}
    decision = {"gate": "failback", "decision": "skip", "planHash": "0" * 64, "notBefore": "2026-11-22T02:00:00Z"}
    for answer in (doors.start(approvals=policy), doors.post("/fb-1/decisions", decision)):
        assert answer.status == 400
        assert answer.json()["title"] == "the request has 3 faults"
        assert len({each["what"] for each in answer.json()["faults"]}) == 3


def test_an_oversized_body_is_refused_unread(doors: Doors) -> None:
    answer = doors.raw(b'{"vault": "' + b"x" * 1_100_000 + b'"}')
    assert answer.status == 413
    assert "at most 1,048,576" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"__class__": "x", "__module__": "os", "__data__": "rm"}, ["__class__", "__module__", "__data__"]),
        ({"approvals": {"approvers": [{"__module__": "os"}]}}, ["approvals.approvers.0.__module__"]),
        ({"machines": [{"name": NAME, "recoveryPoint": {"__data__": 1}}]}, ["machines.0.recoveryPoint.__data__"]),
    ],
)
def test_a_key_that_names_a_python_object_is_refused_wherever_it_is(
    doors: Doors, body: dict[str, Any], places: list[str]
) -> None:
    for path in ("", "/plan", "/fb-1/decisions", "/fb-1/cancel", "/fb-1/pause", "/fb-1/resume"):
        answer = doors.post(path, {"vault": VAULT, "machines": [NAME], **body})
        assert answer.status == 400, path
        assert list(faults(answer)) == places
        assert answer.json()["title"] == "the request holds a key that is not allowed"
    assert doors.host.instances() == []


def test_what_only_the_app_may_say_of_a_run_is_refused_from_outside(doors: Doors) -> None:
    proposed = {"route": "r", "at": "2026-11-22T03:00:00Z"}
    for said in ({"proposed": proposed}, {"requestedById": "somebody else"}):
        for path in ("", "/plan"):
            answer = doors.post(path, {"vault": VAULT, "machines": [NAME], **said})
            assert answer.status == 400
            assert list(faults(answer)) == list(said)


def test_an_unknown_machine_is_refused_by_name_without_a_write(doors: Doors) -> None:
    answer = doors.post("", {"vault": VAULT, "machines": ["Nobody", NAME]})
    assert answer.status == 400
    assert list(faults(answer)) == ["Nobody"]
    assert doors.writes() == []


def test_an_unknown_vault_is_refused_by_name_without_a_write(doors: Doors) -> None:
    answer = doors.start(vault=VAULT.replace("contoso-vault", "fabrikam"))
    assert answer.status == 400
    assert "fabrikam" in answer.json()["detail"]
    assert doors.writes() == []


def test_a_machine_not_ready_to_come_home_is_refused_with_its_state_and_the_remedy() -> None:
    rehearsal = Rehearsal([standing("away")])
    with rehearsal.host() as host:
        doors = Doors(rehearsal, host)
        answer = doors.start()
        assert answer.status == 400
        assert "not re-protected" in answer.json()["detail"]
        assert "prepare" in answer.json()["faults"][0]["remedy"]
        assert doors.writes() == []


def test_a_recovery_point_that_does_not_exist_is_refused_without_a_write(doors: Doors) -> None:
    answer = doors.start(recoveryPoint={"select": "custom", "id": "gone"})
    assert answer.status == 400
    assert "there is no recovery point gone" in answer.json()["detail"]
    assert doors.writes() == []


def test_azure_that_does_not_answer_is_503(doors: Doors) -> None:
    doors.rehearsal.fault("connection-closed", times=None)
    report = doors.rehearsal.run_on(doors.host, "fb-silent")
    problem = failbacks._refused(report).response()
    assert problem.status_code == 503
    assert b"Azure does not answer" in problem.get_body()


def test_a_second_run_for_a_machine_is_409_and_names_the_first(doors: Doors) -> None:
    first = doors.start()
    assert first.status == 202
    second = doors.start()
    assert second.status == 409
    assert second.json()["holder"] == first.json()["id"]


def test_a_lock_whose_holder_was_terminated_is_freed_at_the_next_start(doors: Doors) -> None:
    first = doors.start().json()["id"]
    while not doors.get(f"/{first}").json()["gates"]:
        assert doors.host.step()
    doors.host.terminate(first, "by an operator, in the portal")
    assert doors.host.step()
    second = doors.start()
    assert second.status == 202
    assert second.json()["id"] != first


def test_a_lock_is_kept_while_a_stage_of_a_terminated_run_still_acts(doors: Doors) -> None:
    first = doors.start().json()["id"]
    while not any(call.act for call in doors.rehearsal.simulator.journal.calls):
        assert doors.host.step()
    doors.host.terminate(first, "by an operator, in the portal")
    assert doors.host.step()
    assert doors.start().status == 409


def test_the_same_key_twice_is_one_run_and_another_request_under_it_is_409(doors: Doors) -> None:
    body = {"vault": VAULT, "machines": [NAME]}
    headers = {**DANA, "Idempotency-Key": "tonight"}
    runs = [doors.host.request("POST", "/api/failbacks", json=body, headers=headers) for _ in range(2)]
    assert [run.status for run in runs] == [202, 202]
    assert runs[0].json()["id"] == runs[1].json()["id"]
    other = {**body, "shutDownSource": False}
    conflict = doors.host.request("POST", "/api/failbacks", json=other, headers=headers)
    assert conflict.status == 409
    assert len(doors.get("").json()["runs"]) == 1


@pytest.mark.parametrize("path", ["/fb-unknown", "/fb-unknown/report", "/machine_lock", "/@machine_lock@x"])
def test_a_run_that_does_not_exist_is_404(doors: Doors, path: str) -> None:
    assert doors.get(path).status == 404


def test_a_child_of_a_run_is_not_a_run(doors: Doors) -> None:
    run = doors.start().json()["id"]
    assert doors.get(f"/{run}:1-prepare").status == 404


def test_a_report_before_the_end_is_409_and_after_it_comes_in_three_forms(doors: Doors) -> None:
    run = doors.start(mode="drill").json()["id"]
    assert doors.get(f"/{run}/report").status == 409
    doors.host.run_until(run)
    assert doors.get(f"/{run}/report").json()["outcome"] == "succeeded"
    page = doors.get(f"/{run}/report?format=html")
    assert page.body.startswith(b"<!doctype html>") or page.body.startswith(b"<!DOCTYPE html>")
    assert "default-src 'none'" in {name.lower(): value for name, value in page.headers}["content-security-policy"]
    assert doors.get(f"/{run}/report?format=markdown").body.startswith(b"#")
    assert doors.get(f"/{run}/report?format=pdf").status == 400


def test_a_decision_that_cannot_be_is_refused_with_every_fault(doors: Doors) -> None:
    run = doors.start().json()["id"]
    answer = doors.post(f"/{run}/decisions", {"gate": "roof", "decision": "maybe", "machines": 3})
    assert answer.status == 400
    assert set(faults(answer)) == {"gate", "decision", "machines", "planHash"}
    early = doors.post(f"/{run}/decisions", {"gate": "commit", "decision": "approve", "planHash": "0" * 64})
    assert early.status == 409
    nowhere = doors.post("/fb-unknown/decisions", {"gate": "commit", "decision": "approve", "planHash": "0" * 64})
    assert nowhere.status == 404


def test_a_decision_for_a_run_that_has_ended_is_410(doors: Doors) -> None:
    run = doors.start(mode="drill").json()["id"]
    doors.host.run_until(run)
    answer = doors.post(f"/{run}/decisions", {"gate": "commit", "decision": "approve", "planHash": "0" * 64})
    assert answer.status == 410
    assert doors.post(f"/{run}/cancel", {}).status == 410


def test_runs_are_listed_by_where_they_are(doors: Doors) -> None:
    ended = doors.start(mode="drill").json()["id"]
    doors.host.run_until(ended)
    asking = doors.start().json()["id"]

    def listed(state: str) -> list[str]:
        return [run["id"] for run in doors.get(f"?state={state}").json()["runs"]]

    assert (listed("done"), listed("open"), listed("asking")) == ([ended], [asking], [])
    while not doors.get(f"/{asking}").json()["gates"]:
        assert doors.host.step()
    assert listed("asking") == [asking]
    assert [run["id"] for run in doors.get("?top=1").json()["runs"]] == [asking]
    assert doors.get("?state=stuck").status == 400


def test_a_plan_shows_everything_writes_nothing_and_leaves_no_run(doors: Doors) -> None:
    answer = doors.post("/plan", {"vault": VAULT, "machines": [NAME]})
    plan = answer.json()["plan"]
    assert answer.status == 200
    assert [act["act"] for act in plan["acts"]][-1] == "reprotect"
    assert plan["calls"]["writes"] == 5
    assert {check["verdict"] for check in plan["checks"]} == {"passed"}
    assert doors.writes() == []
    assert doors.get("").json()["runs"] == []


def test_no_answer_holds_a_durable_management_url_or_key(doors: Doors) -> None:
    run = doors.start().json()["id"]
    for answer in (doors.get(f"/{run}"), doors.get("")):
        text = answer.body.decode()
        assert "runtime/webhooks" not in text
        assert "code=" not in text
