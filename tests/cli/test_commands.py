"""The command line: what each command asks, says, and ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

OK, FAILED, REFUSED, UNREACHABLE = 0, 1, 2, 3


def fast(given: Any, fake: Any, run: str = "fb-1", statuses: Any = None) -> None:
    fake.statuses[run] = statuses or [each | {"gates": []} for each in given.whole_run()]
    fake.reports[run] = given.report()


# -- asking for runs ------------------------------------------------------------------------------------------


def test_a_start_asks_for_just_what_was_said(fake: Any, failback: Any, given: Any) -> None:
    result = failback("start", "web", "db", "--vault", given.vault)
    assert result.exit_code == OK, result.stderr
    assert fake.asked[0].body == {"vault": given.vault, "machines": ["web", "db"]}
    assert "run fb-1" in result.stdout


def test_every_option_of_a_request_finds_its_place(fake: Any, failback: Any, given: Any) -> None:
    options = (
        "--vault v --mode drill --point latestProcessed --not-after 2026-01-15T09:00:00Z --no-rehearse "
        "--test-network n --leave-running --no-reprotect --prepare --approver lee --approver kim --quorum 2 "
        "--max-parallel 5"
    )
    assert failback("start", "web", *options.split()).exit_code == OK
    assert fake.asked[0].body == {
        "vault": "v",
        "machines": ["web"],
        "mode": "drill",
        "recoveryPoint": {"select": "latestProcessed", "notAfter": "2026-01-15T09:00:00Z"},
        "testFailover": {"enabled": False, "networkId": "n"},
        "shutDownSource": False,
        "reprotect": {"enabled": False},
        "prepare": {"reprotect": True},
        "approvals": {"approvers": ["lee", "kim"], "quorum": 2},
        "limits": {"maxParallel": 5},
    }


def test_options_are_laid_over_a_file(fake: Any, failback: Any, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"vault": "v", "machines": ["a"], "approvals": {"quorum": 2, "onTimeout": "hold"}}')
    assert failback("start", "--file", str(file), "--quorum", "1").exit_code == OK
    assert fake.asked[0].body == {
        "vault": "v",
        "machines": ["a"],
        "approvals": {"quorum": 1, "onTimeout": "hold"},
    }


@pytest.mark.parametrize("text", ["", "[]", "{", '"a"'])
def test_a_file_that_holds_no_request_is_refused_before_anything_is_asked(
    fake: Any, failback: Any, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    assert failback("start", "--file", str(file)).exit_code == REFUSED
    assert failback("start", "--file", str(tmp_path / "none.json")).exit_code == REFUSED
    assert fake.asked == []


def test_what_must_be_named_is_asked_for_before_anything_is_sent(fake: Any, failback: Any) -> None:
    result = failback("start")
    assert result.exit_code == REFUSED
    assert "vault and machines must be named" in result.stderr
    assert fake.asked == []


def test_the_same_idempotency_key_is_handed_on(fake: Any, failback: Any) -> None:
    for _ in range(2):
        assert "fb-1" in failback("start", "web", "--vault", "v", "--idempotency-key", "k").stdout
    assert "fb-2" in failback("start", "web", "--vault", "v").stdout


def test_a_refused_start_lists_every_fault_with_its_remedy(fake: Any, failback: Any) -> None:
    faults = [
        {"about": "web", "what": "it is [bold]not[/] ready", "remedy": "re-protect it"},
        {"about": "quorum", "what": "too high"},
    ]
    fake.mishaps = [fake.problem(409, "another run holds a machine", faults=faults, holder="fb-7")]
    result = failback("start", "web", "--vault", "v")
    assert result.exit_code == REFUSED
    for part in (
        "another run holds",
        "- web: it is [bold]not[/] ready",
        "→ re-protect it",
        "quorum",
        "watch fb-7",
    ):
        assert part in result.stderr
    assert result.stdout == ""


def test_a_plan_is_shown_and_a_forbidden_one_ends_with_refused(fake: Any, failback: Any) -> None:
    fake.plan = {
        "words": "planned for one machine",
        "plan": {
            "checks": [
                {"name": "state", "verdict": "passed", "evidence": "ready", "about": "web"},
                {"name": "quota", "verdict": "failed", "evidence": "no cores", "remedy": "ask for more"},
            ],
            "acts": [{"group": 1, "machine": "web", "words": "failover of web", "expected": "PT3M25S"}],
            "expected": "PT1H8M",
            "calls": {"reads": 16, "writes": 5},
        },
    }
    result = failback("plan", "web", "--vault", "v")
    assert result.exit_code == OK
    for part in ("ready", "→ ask for more", "failover of web", "3 min 25 s", "1 h 8 min", "16 reads"):
        assert part in result.stdout
    fake.plan["refusals"] = [{"code": "CheckFailed", "what": "quota"}]
    assert failback("plan", "web", "--vault", "v").exit_code == REFUSED


# -- watching -------------------------------------------------------------------------------------------------


def test_a_watched_run_is_told_line_by_line_and_ends_with_its_report(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake)
    result = failback("watch", "fb-1", "--every", "0")
    assert result.exit_code == OK, result.stderr
    lines = result.stderr.splitlines()
    assert [line for line in lines if "failover: Start failover [job job-7]" in line]
    assert len(lines) == len(set(lines))
    for part in ("succeeded", "web home", "data loss 1 min 25 s", "lee@contoso.com: approve", "after 3 min 25 s"):
        assert part in result.stdout


@pytest.mark.parametrize("outcome", ["failed", "partial", "stopped", "refused"])
def test_a_run_that_missed_its_aim_ends_the_command_with_one(
    fake: Any, failback: Any, given: Any, outcome: str
) -> None:
    fast(given, fake, statuses=[given.status("done", outcome=outcome)])
    fake.reports["fb-1"] = given.report(outcome)
    assert failback("watch", "fb-1", "--every", "0").exit_code == FAILED
    assert failback("watch", "fb-1", "--every", "0", "--json").exit_code == FAILED
    assert failback("report", "fb-1").exit_code == FAILED


def test_a_run_can_be_started_and_watched_in_one(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=[given.status("done", outcome="succeeded")])
    result = failback("start", "web", "--vault", "v", "--watch")
    assert result.exit_code == OK
    assert "succeeded" in result.stdout


def test_watching_with_json_writes_one_document_a_line_and_nothing_else(
    fake: Any, failback: Any, given: Any
) -> None:
    fast(given, fake)
    result = failback("watch", "fb-1", "--every", "0", "--json")
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert documents[-1]["outcome"] == "succeeded"
    assert len(documents) == len(given.whole_run())
    assert result.stderr == ""


def test_an_app_that_is_away_for_a_moment_does_not_end_the_watching(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake)
    fake.mishaps = [None, 503, "close", None]
    result = failback("watch", "fb-1", "--every", "0")
    assert result.exit_code == OK
    assert result.stderr.count("the run goes on without us") == 1


def test_a_run_that_does_not_exist_is_refused_at_once(failback: Any) -> None:
    result = failback("watch", "fb-404")
    assert result.exit_code == REFUSED
    assert "there is no such run" in result.stderr


def test_nobody_is_asked_where_nobody_sits(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake)
    for command in (("watch", "fb-1", "--ask"), ("decide", "fb-1")):
        assert failback(*command).exit_code == REFUSED
    assert fake.paths("POST") == []


# -- deciding -------------------------------------------------------------------------------------------------


def test_a_decision_carries_person_comment_and_the_hash_that_was_seen(
    fake: Any, failback: Any, given: Any
) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    command = ("decide", "fb-1", "approve", "-m", "it answers", "--plan-hash", "hash-of-failback", "--as", "lee")
    result = failback(*command)
    assert result.exit_code == OK, result.stderr
    assert "recorded: approve at gate failback" in result.stdout
    sent = fake.asked[-1]
    assert sent.headers["X-Failback-User"] == "lee"
    assert sent.body == {
        "gate": "failback",
        "decision": "approve",
        "comment": "it answers",
        "planHash": "hash-of-failback",
    }


def test_nobody_decides_on_what_they_have_not_seen(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    result = failback("decide", "fb-1", "approve")
    assert result.exit_code == REFUSED
    assert "--plan-hash" in result.stderr
    assert fake.paths("POST") == []
    assert failback("decide", "fb-1", "approve", "--yes").exit_code == OK


def test_a_stale_decision_is_refused(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    result = failback("decide", "fb-1", "approve", "--plan-hash", "hash-of-something-else")
    assert result.exit_code == REFUSED
    assert "the decision is stale" in result.stderr


def test_machines_and_points_of_a_decision_are_named(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    named = ("--point", "web=latestProcessed", "--point", "db=p-7", "--machine", "web", "--yes")
    assert failback("decide", "fb-1", "changeRecoveryPoint", *named).exit_code == OK
    assert fake.asked[-1].body["machines"] == ["web"]
    assert fake.asked[-1].body["recoveryPoints"] == {
        "web": {"select": "latestProcessed"},
        "db": {"select": "custom", "id": "p-7"},
    }


@pytest.mark.parametrize("pair", ["web", "=latest", "web="])
def test_a_point_without_its_machine_is_refused(fake: Any, failback: Any, given: Any, pair: str) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    assert failback("decide", "fb-1", "changeRecoveryPoint", "--point", pair, "--yes").exit_code == REFUSED
    assert fake.paths("POST") == []


def test_a_run_that_asks_nothing_takes_no_decision(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=[given.status("move", "failing over")])
    result = failback("decide", "fb-1", "approve", "--yes")
    assert result.exit_code == REFUSED
    assert "does not ask anything now" in result.stderr


@pytest.mark.parametrize("command", ["cancel", "pause", "resume"])
def test_a_run_is_steered_with_a_reason(fake: Any, failback: Any, given: Any, command: str) -> None:
    fast(given, fake)
    result = failback(command, "fb-1", "-m", "wrong day")
    assert (result.exit_code, result.stdout.strip()) == (OK, f"{command}: wrong day")
    assert fake.paths() == [f"/api/failbacks/fb-1/{command}"]
    assert json.loads(failback(command, "fb-1", "--json").stdout)["id"] == "fb-1"


def test_a_decision_may_be_for_later_and_may_break_the_glass(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    command = "decide fb-1 approve --yes --reason fire --break-glass --not-before 2026-01-15T02:00:00Z"
    assert failback(*command.split()).exit_code == OK
    body = fake.asked[-1].body
    assert (body["comment"], body["breakGlass"], body["notBefore"]) == ("fire", True, "2026-01-15T02:00:00Z")


def test_a_voice_is_handed_over_to_whom_to_names(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake, statuses=given.whole_run()[2:])
    result = failback("decide", "fb-1", "delegate", "--yes", "--to", "pia@contoso.com", "-m", "on leave")
    assert result.exit_code == OK
    body = fake.asked[-1].body
    assert (body["decision"], body["to"], body["comment"]) == ("delegate", "pia@contoso.com", "on leave")


def test_who_asks_and_what_they_may_do_come_from_options_or_variables(fake: Any, failback: Any) -> None:
    failback("list", "--token", "t-1", "--roles", "viewer")
    failback("list", env={"FAILBACK_TOKEN": "t-1", "FAILBACK_ROLES": "viewer"})
    for sent in fake.asked:
        assert (sent.headers["Authorization"], sent.headers["X-Failback-Roles"]) == ("Bearer t-1", "viewer")


# -- looking --------------------------------------------------------------------------------------------------


def test_runs_are_listed(fake: Any, failback: Any, given: Any) -> None:
    assert "there are no runs" in failback("list").stdout
    fast(given, fake, statuses=[given.status("move", "failing over")])
    assert "failing over" in failback("list").stdout
    assert json.loads(failback("list", "--json").stdout)["runs"][0]["id"] == "fb-1"


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_report_comes_in_the_form_that_was_asked_for(
    fake: Any, failback: Any, given: Any, tmp_path: Path, form: str
) -> None:
    fast(given, fake)
    file = tmp_path / "report"
    assert failback("report", "fb-1", "--format", form, "-o", str(file)).exit_code == OK
    assert file.read_text(encoding="utf-8") == f"<h1>{form} succeeded →</h1>"
    assert f"{form} succeeded" in failback("report", "fb-1", "--format", form).stdout


def test_a_report_as_json_is_the_apps_own(fake: Any, failback: Any, given: Any, tmp_path: Path) -> None:
    fast(given, fake)
    assert json.loads(failback("report", "fb-1", "--json").stdout) == given.report()
    failback("report", "fb-1", "--format", "json", "-o", str(tmp_path / "r.json"))
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == given.report()


def test_a_report_that_cannot_be_written_is_refused(fake: Any, failback: Any, given: Any, tmp_path: Path) -> None:
    fast(given, fake)
    assert failback("report", "fb-1", "--json", "-o", str(tmp_path)).exit_code == REFUSED


def test_warnings_of_a_report_are_shown_first(fake: Any, failback: Any, given: Any) -> None:
    fast(given, fake)
    fake.reports["fb-1"] = given.report("failed", warnings=["web: A TEST FAILOVER WAS NOT CLEANED UP"])
    lines = failback("report", "fb-1").stdout.splitlines()
    assert "NOT CLEANED UP" in lines[1]


# -- the command as a whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("watch", "r"),
        ("report", "r"),
        ("cancel", "r"),
        ("pause", "r"),
        ("decide", "r", "stop", "--yes"),
    ],
)
def test_an_app_that_does_not_answer_ends_every_command_with_three(failback: Any, command: Any) -> None:
    result = failback(*command, "--url", "http://127.0.0.1:1")
    assert result.exit_code == UNREACHABLE
    assert "does not answer" in result.stderr


def test_with_json_a_problem_is_json_too(fake: Any, failback: Any) -> None:
    fake.mishaps = [fake.problem(400, "no", faults=[{"about": "vault", "what": "missing"}])]
    result = failback("start", "web", "--vault", "v", "--json")
    assert result.exit_code == REFUSED
    assert json.loads(result.stdout)["problem"]["faults"][0]["about"] == "vault"
    assert result.stderr == ""


@pytest.mark.parametrize("command", [("frobnicate",), ("watch",), ("decide", "r", "perhaps"), ("list", "--nope")])
def test_wrong_use_ends_with_two(failback: Any, command: Any) -> None:
    assert failback(*command).exit_code == REFUSED


def test_key_and_address_come_from_the_environment(fake: Any, failback: Any) -> None:
    failback("list", env={"FAILBACK_KEY": "k-1", "FAILBACK_USER": "lee"})
    assert fake.asked[0].headers["x-functions-key"] == "k-1"
    assert fake.asked[0].headers["X-Failback-User"] == "lee"


def test_the_key_is_never_printed(fake: Any, failback: Any) -> None:
    for command in (("list", "--help"), ("list",), ("list", "--url", "http://127.0.0.1:1")):
        result = failback(*command, env={"FAILBACK_KEY": "k-secret-1"})
        assert "k-secret-1" not in result.stdout + result.stderr


def test_help_groups_every_command_and_tells_what_an_exit_code_means(failback: Any) -> None:
    told = " ".join(failback("--help").output.split())
    assert all(group in told for group in ("On this machine", "Runs", "Afterwards", "2: used wrongly, or refused"))
    # Where commands stand that belong to no group.
    assert "─ Commands ─" not in told
