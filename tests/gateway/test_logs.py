"""Log Analytics is asked by resource, answers in part or not at all, and can be told nothing but values."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Throttled, Transient
from domain.settings import Settings
from domain.validation import Beat
from gateway import queries
from gateway.azure import Azure
from gateway.faults import Refused
from simulator.kql import KqlError, Table, run
from tests.gateway.conftest import Answer, Service, Token

GROUP = "/subscriptions/s/resourceGroups/contoso-app"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/VM1"
OTHER = VM.replace("contoso-app", "contoso-app-asr")
SINCE = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
UNTIL = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
SEEN = datetime(2026, 11, 22, 18, 20, tzinfo=UTC)
# From Microsoft's page of the table.
HEARTBEAT = {
    "TimeGenerated": "datetime",
    "Computer": "string",
    "ComputerIP": "string",
    "OSType": "string",
    "Category": "string",
    "VMUUID": "string",
    "_ResourceId": "string",
    "ResourceGroup": "string",
}


def table(*rows: list[Any], columns: tuple[str, ...] = ("LastHeartbeat", "Beats", "Computer")) -> dict[str, Any]:
    kinds = {"LastHeartbeat": "datetime", "Beats": "long"}
    described = [{"name": name, "type": kinds.get(name, "string")} for name in columns]
    return {"tables": [{"name": "PrimaryResult", "columns": described, "rows": list(rows)}]}


NOTHING = table([None, 0, ""])
BEAT = table(["2026-11-22T18:20:00Z", 12, "vm1"])
PARTIAL = {"code": "PartialError", "message": "There were some errors when processing your query."}


def missing(name: str = "Heartbeat") -> Answer:
    inner = {"code": "SEM0100", "message": f"Failed to resolve table '{name}'"}
    error = {
        "code": "BadArgumentError",
        "message": "The request had some invalid properties",
        "innererror": {"code": "SemanticError", "message": "A semantic error", "innererror": inner},
    }
    return Answer(400, {"error": error})


def last(azure: Azure) -> Beat | None:
    return azure.logs.heartbeat(VM, "vm1", SINCE, [OTHER]).last


# -- heartbeats -----------------------------------------------------------------------------------------------


def test_the_last_heartbeat_is_asked_of_the_machine_itself(azure: Azure, service: Service, token: Token) -> None:
    service.answers(Answer(200, BEAT))
    assert last(azure) == Beat(at=SEEN, computer="vm1")
    (call,) = service.calls
    assert call.path == f"/loganalytics/v1{VM.lower()}/query"
    assert "2026-11-22T18:00:00" in json.loads(call.body)["query"]
    assert token.asked == [("https://api.loganalytics.io/.default",)]


def test_without_one_the_host_name_is_asked_for_beside_the_machine(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, NOTHING), Answer(200, BEAT))
    assert last(azure) == Beat(at=SEEN, computer="vm1", by_name=True)
    asked = service.calls[1]
    assert asked.path == f"/loganalytics/v1{GROUP.lower()}/query"
    assert f"!= '{OTHER.lower()}'" in json.loads(asked.body)["query"]


def test_a_named_workspace_is_asked_for_the_host_name(service: Service, token: Token) -> None:
    workspace = "22222222-2222-2222-2222-222222222222"
    settings = Settings(logs_endpoint=f"{service.url}/loganalytics", workspace=workspace)
    service.answers(Answer(200, NOTHING), Answer(200, BEAT))
    assert last(Azure.over(settings, token)) is not None
    assert service.calls[1].path == f"/loganalytics/v1/workspaces/{workspace}/query"


@pytest.mark.parametrize("second", [Answer(200, NOTHING), Answer(200, {"tables": []}), missing()])
def test_no_heartbeat_by_either_is_none(azure: Azure, service: Service, second: Answer) -> None:
    service.answers(Answer(200, NOTHING), second)
    found = azure.logs.heartbeat(VM, "vm1", SINCE)
    assert (found.last, found.has_table) == (None, True)


@pytest.mark.parametrize(
    "answer", [missing(), Answer(404, {"error": {"code": "WorkspaceNotFoundError", "message": "no"}})]
)
def test_a_table_without_its_first_record_means_no_data_yet(
    azure: Azure, service: Service, answer: Answer
) -> None:
    service.answers(answer)
    found = azure.logs.heartbeat(VM, "vm1", SINCE)
    assert (found.last, found.has_table) == (None, False)


def test_another_fault_of_the_query_is_refused(azure: Azure, service: Service) -> None:
    service.answers(Answer(400, {"error": {"code": "BadArgumentError", "message": "SYN0002"}}))
    with pytest.raises(Refused):
        last(azure)


def test_a_partial_answer_proves_only_what_is_in_it(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, {**BEAT, "error": PARTIAL}))
    assert last(azure) == Beat(at=SEEN, computer="vm1")
    service.answers(Answer(200, {**NOTHING, "error": PARTIAL}))
    with pytest.raises(Transient, match="partial"):
        last(azure)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(504), Transient),
        (Answer(503, {"error": {"code": "Busy", "message": "no"}}, {"Retry-After": "1"}), Transient),
        (Answer(429, {"error": {"code": "TooMany", "message": "no"}}, {"Retry-After": "1"}), Throttled),
        (Answer(closes=True), Transient),
    ],
)
def test_a_query_is_not_repeated_here(
    azure: Azure, service: Service, answer: Answer, kind: type[Exception]
) -> None:
    service.answers(answer)
    with pytest.raises(kind):
        last(azure)
    assert len(service.calls) == 1


# -- operators' queries ---------------------------------------------------------------------------------------


def test_an_operators_query_is_bound_to_the_machine_and_to_the_time_since(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, table(["Error", "", "disk"], columns=("Level", "Empty", "Source"))))
    found = azure.logs.rows(VM, "errors", "Event | where x;", SINCE, UNTIL)
    assert found.rows == ("Level=Error, Source=disk",)
    body = json.loads(service.calls[0].body)
    assert service.calls[0].path == f"/loganalytics/v1{VM.lower()}/query"
    assert body["query"] == "Event | where x\n| take 3"
    assert body["timespan"].startswith("2026-11-22T18:00:00")


def test_no_rows_in_part_are_no_answer(azure: Azure, service: Service) -> None:
    empty = table(columns=("Level",))
    service.answers(Answer(200, empty))
    assert azure.logs.rows(VM, "errors", "Event", SINCE, UNTIL).rows == ()
    service.answers(Answer(200, {**empty, "error": PARTIAL}))
    with pytest.raises(Transient, match="partial"):
        azure.logs.rows(VM, "errors", "Event", SINCE, UNTIL)


def test_a_query_of_a_table_that_is_not_there_yet_says_so(azure: Azure, service: Service) -> None:
    service.answers(missing("Event"))
    assert not azure.logs.rows(VM, "errors", "Event", SINCE, UNTIL).has_table


# -- KQL ------------------------------------------------------------------------------------------------------


def read(literal: str) -> str:
    """Read a KQL string literal back, by the language's rules; AssertionError when it is not exactly one."""
    assert literal[0] == literal[-1] == "'"
    names = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'"}
    units: list[str] = []
    at, inner = 0, literal[1:-1]
    while at < len(inner):
        assert inner[at] != "'"
        assert inner[at].isprintable()
        if inner[at] != "\\":
            units.append(inner[at])
            at += 1
        elif inner[at + 1] == "u":
            units.append(chr(int(inner[at + 2 : at + 6], 16)))
            at += 6
        else:
            units.append(names[inner[at + 1]])
            at += 2
    return "".join(units)


@given(st.text(st.characters(codec=None)))
def test_nothing_inside_a_value_can_end_its_literal(text: str) -> None:
    found = read(queries.quoted(text))
    wide = "surrogatepass"
    assert found.encode("utf-16", wide).decode("utf-16", wide) == text.encode("utf-16", wide).decode(
        "utf-16", wide
    )


@given(st.text(alphabet="vm1'\\\"|/; \n=", max_size=20))
def test_a_hostile_name_finds_nothing_but_itself(name: str) -> None:
    row = (SEEN, "innocent", "", "", "", "", "/some/vm", "")
    known = {"Heartbeat": Table(tuple(HEARTBEAT.items()), [row])}
    found = run(queries.heartbeat_by_name(name, SINCE, [name]), known, UNTIL)
    assert found.rows[0][1] == 0


def test_every_name_in_a_query_is_a_column_or_one_that_it_makes() -> None:
    words = {"where", "summarize", "datetime", "tolower", "tostring", "split", "max", "count", "take_any"}
    made = {"LastHeartbeat", "Beats", "Heartbeat"}
    for query in (queries.heartbeat_since(VM, SINCE), queries.heartbeat_by_name("vm1", SINCE, [OTHER])):
        bare = re.sub(r"'[^']*'|datetime\([^)]*\)", "", query)
        names = set(re.findall(r"[A-Za-z_]\w*", bare))
        assert names - words - made <= set(HEARTBEAT)


def test_a_column_that_is_not_there_would_be_found_out() -> None:
    known = {"Heartbeat": Table((("TimeGenerated", "datetime"),), [])}
    with pytest.raises(KqlError):
        run(queries.heartbeat_since(VM, SINCE), known, UNTIL)
