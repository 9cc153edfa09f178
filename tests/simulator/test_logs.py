from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsBatchQuery, LogsQueryError, LogsQueryPartialResult, LogsQueryResult

from simulator import Fault, ManualClock, Response
from simulator.faults import FaultName
from simulator.transport import SimulatorCredential
from tests.simulator.helpers import SUBSCRIPTION, Caller, failover_body

HOME_VM = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-app"
    "/providers/Microsoft.Compute/virtualMachines/ContosoWin2016"
)


def post(caller: Caller, path: str, body: bytes, audience: str = "https://api.loganalytics.io") -> Response:
    """Ask what no client would ask, with a token of its own."""
    token = SimulatorCredential(caller.simulator).get_token(f"{audience}/.default").token
    headers = {"authorization": f"Bearer {token}", "content_type": "application/json"}
    return caller.raw("POST", f"/loganalytics/v1{path}", body, **headers)


def ask(caller: Caller, query: str, **more: Any) -> Response:
    return post(caller, "/workspaces/w/query", json.dumps({"query": query} | more).encode())


def rows(
    caller: Caller, query: str, scope: str | None = None, timespan: timedelta | None = None
) -> list[dict[str, Any]]:
    """Ask as the official client does, of a workspace or of a resource."""
    if scope:
        answer = caller.logs.query_resource(scope, query, timespan=timespan)
    else:
        answer = caller.logs.query_workspace("w", query, timespan=timespan)
    assert isinstance(answer, LogsQueryResult)
    return table(answer)


def table(answer: LogsQueryResult) -> list[dict[str, Any]]:
    (only,) = answer.tables
    return [dict(zip(only.columns, row, strict=True)) for row in only.rows]


def error(caller: Caller, query: str) -> tuple[str, str]:
    with pytest.raises(HttpResponseError) as refusal:
        caller.logs.query_workspace("w", query, timespan=None)
    assert refusal.value.status_code == 400
    outer = refusal.value.error
    assert outer is not None
    assert outer.code == "BadArgumentError"
    inner: Any = outer.innererror
    return inner["code"], inner["innererror"]["code"]


HOME_BEATS = f"""
let vms = dynamic(['{HOME_VM.lower()}']);
Heartbeat
| where tolower(_ResourceId) in (vms)
| summarize LastHeartbeat = max(TimeGenerated), Beats = count(), Computer = take_any(Computer)
"""


def test_a_machine_that_came_home_reports_some_minutes_later(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    assert rows(caller, HOME_BEATS)[0]["Beats"] == 0
    caller.wait(300)
    (found,) = rows(caller, HOME_BEATS)
    assert found["Beats"] > 0
    assert found["Computer"] == "ContosoWin2016"


def test_a_machine_may_come_up_and_never_report(caller: Caller) -> None:
    fault = Fault(name=FaultName.NO_HEARTBEAT)
    caller.simulator.faults.add([fault], caller.simulator.clock.now())
    caller.act("unplanned_failover", failover_body())
    caller.wait(3600)
    assert rows(caller, HOME_BEATS)[0]["Beats"] == 0


def test_a_query_of_a_resource_sees_its_own_records_only(caller: Caller) -> None:
    query = "Heartbeat | distinct _ResourceId"
    assert rows(caller, query, scope=HOME_VM) == []
    (found,) = rows(caller, query)
    assert "contoso-app-asr" in found["_ResourceId"]


def test_a_timespan_bounds_what_is_counted(caller: Caller) -> None:
    (hour,) = rows(caller, "Heartbeat | count", timespan=timedelta(hours=1))
    (ten,) = rows(caller, "Heartbeat | count", timespan=timedelta(minutes=10))
    assert (hour["Count"], ten["Count"]) == (60, 10)
    assert ask(caller, "Heartbeat | count", timespan="soon").status == 400


def test_a_table_is_unknown_before_its_first_record(caller: Caller) -> None:
    assert error(caller, "ASRJobs | count") == ("SemanticError", "SEM0100")
    caller.act("unplanned_failover", failover_body())
    caller.wait(600)
    (found,) = rows(
        caller,
        "ASRJobs | summarize arg_max(TimeGenerated, *) by JobUniqueId"
        " | project OperationName, Status, DurationMs, ReplicatedItemFriendlyName",
    )
    assert found == {
        "OperationName": "Failover",
        "Status": "Completed",
        "DurationMs": 205_000,
        "ReplicatedItemFriendlyName": "ContosoWin2016",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Heartbeat | wher x == 1", ("SyntaxError", "SYN0002")),
        ("Heartbeat | where Computer = 'x'", ("SyntaxError", "SYN0002")),
        ("Heartbeat | where State == 'x'", ("SemanticError", "SEM0100")),
        ("Heartbeat | extend x = launch(1)", ("SemanticError", "SEM0100")),
        ("ASRReplicatedItems | where RpoInSeconds > 900", ("SemanticError", "SEM0100")),
        ("Nothing | count", ("SemanticError", "SEM0100")),
    ],
)
def test_a_wrong_query_is_refused_with_the_services_codes(
    caller: Caller, query: str, expected: tuple[str, str]
) -> None:
    assert error(caller, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ASRReplicatedItems | project ActiveLocation", [{"ActiveLocation": "Primary"}]),
        (
            "AzureDiagnostics | where name_s =~ 'contosowin2016' | distinct protectionState_s",
            [{"protectionState_s": "Protected"}],
        ),
        (
            (
                "AzureDiagnostics | extend rpo = todouble(column_ifexists('rpoInSeconds_d', real(null))) "
                "| summarize arg_max(TimeGenerated, rpo) by name_s | where rpo > 900"
            ),
            [],
        ),
        (
            (
                "union isfuzzy=true (ASRJobs | where TimeGenerated > ago(1h) | project Op = OperationName)"
                ", (ASRReplicatedItems | project Op = Category)"
            ),
            [{"Op": "ASRReplicatedItems"}],
        ),
        (
            "Heartbeat | extend Host = tolower(tostring(split(Computer, '.')[0])) | distinct Host",
            [{"Host": "contosowin2016"}],
        ),
        (
            (
                "Heartbeat | summarize Last = max(TimeGenerated) by Computer"
                " | extend Late = datetime_diff('second', now(), Last) > 300 | project Late"
            ),
            [{"Late": False}],
        ),
        ("Heartbeat | take 1 | project A = iff(OSType == 'Windows', 1, 2)", [{"A": 1}]),
        ("Heartbeat | top 1 by TimeGenerated asc | project OSType", [{"OSType": "Windows"}]),
        (
            "Heartbeat | where OSType has 'windows' and not(Computer contains 'linux') | count",
            [{"Count": 180}],
        ),
    ],
)
def test_documented_queries_are_answered(caller: Caller, query: str, expected: list[dict[str, Any]]) -> None:
    assert rows(caller, query) == expected


def test_a_partial_result_comes_with_rows_and_an_error(caller: Caller) -> None:
    caller.simulator.faults.add([Fault(name=FaultName.PARTIAL_RESULT)], caller.simulator.clock.now())
    partial = caller.logs.query_workspace("w", "Heartbeat | count", timespan=None)
    assert isinstance(partial, LogsQueryPartialResult)
    assert partial.partial_data
    assert partial.partial_error is not None
    assert partial.partial_error.code == "PartialError"
    assert rows(caller, "Heartbeat | count") == [{"Count": 180}]


def test_a_batch_answers_each_of_its_queries_by_itself(caller: Caller) -> None:
    queries = [
        LogsBatchQuery("w", "Heartbeat | count", timespan=None),
        LogsBatchQuery("w", "Heartbeat | wher x", timespan=None),
        LogsBatchQuery("w", "Heartbeat | count", timespan=timedelta(minutes=10)),
    ]
    whole, wrong, bounded = caller.logs.query_batch(queries)
    assert isinstance(whole, LogsQueryResult)
    assert isinstance(wrong, LogsQueryError)
    assert isinstance(bounded, LogsQueryResult)
    assert table(whole) == [{"Count": 180}]
    assert wrong.code == "BadArgumentError"
    assert table(bounded) == [{"Count": 10}]


def test_each_query_of_a_batch_has_a_status_of_its_own(caller: Caller) -> None:
    queries = {"a": "Heartbeat | count", "b": "Heartbeat | wher x"}
    body = {"requests": [{"id": name, "body": {"query": query}} for name, query in queries.items()]}
    answers: Any = post(caller, "/$batch", json.dumps(body).encode()).json()["responses"]
    assert [(answer["id"], answer["status"]) for answer in answers] == [("a", 200), ("b", 400)]


@pytest.mark.parametrize("body", [b"{}", b'{"requests": 1}', b'{"requests": [{"id": "1"}]}', b"["])
def test_a_batch_that_cannot_be_read_is_refused(caller: Caller, body: bytes) -> None:
    assert post(caller, "/$batch", body).status == 400


def test_a_token_for_arm_does_not_open_the_logs(caller: Caller) -> None:
    assert post(caller, "/workspaces/w/query", b"{}", "https://management.azure.com").status == 401


def test_a_deallocated_source_stops_reporting(caller: Caller, clock: ManualClock) -> None:
    caller.act("unplanned_failover", failover_body())
    stopped = clock.now() + timedelta(seconds=0.331 * 205)
    caller.wait(3600)
    (last,) = rows(
        caller,
        "Heartbeat | where _ResourceId contains 'contoso-app-asr' | summarize max(TimeGenerated)",
    )
    assert last["max_TimeGenerated"] <= stopped
