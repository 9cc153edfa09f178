"""The pages by HTTP: reading decides nothing, a form counts once, and nobody gets further than they may."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from domain.people import Role
from localhost import Response, SyncHost
from tests.identity.entra import TENANT, principal
from tests.pages.served import KEYS, link_to
from tests.rehearsal import NAME, Rehearsal, standing
from triggers.forms import FIELDS, STEERING

SETTINGS = {"FAILBACK_IDENTITY": "declared", "FAILBACK_LINK_KEYS": KEYS, "FAILBACK_PUBLIC_URL": "http://localhost"}
FORM = "application/x-www-form-urlencoded"
RUN = "/api/ui/failbacks/fb-test"


class Visit:
    """Somebody at the pages, without a browser: what is fetched, and what is sent back."""

    def __init__(self, rehearsal: Rehearsal, host: SyncHost) -> None:
        self.rehearsal, self.host = rehearsal, host

    def get(self, path: str, by: str = "olive@contoso.com", **headers: str) -> Response:
        return self.host.request("GET", path, headers={"X-Failback-User": by, **headers})

    def send(
        self, path: str, fields: Mapping[str, Any], by: str = "olive@contoso.com", **headers: str
    ) -> Response:
        body = urlencode(fields, doseq=True).encode()
        sent = {"X-Failback-User": by, "Content-Type": FORM, **headers}
        return self.host.request("POST", path, body=body, headers=sent)

    def gate(self) -> dict[str, Any]:
        gate = self.rehearsal._until_asked_or_finished(self.host, timedelta(days=60))
        assert gate is not None
        self.rehearsal.asked.append(gate)
        return gate

    def begin(self, *machines: str, **request: Any) -> dict[str, Any]:
        self.host.start("failback", self.rehearsal.request(*machines, **request), instance_id=self.rehearsal.run)
        return self.gate()

    def link(self, gate: Mapping[str, Any], person: str = "olive@contoso.com", **changes: Any) -> str:
        return urlsplit(link_to(SETTINGS, self.rehearsal, gate, person, **changes)).path

    def recorded(self, gate: Mapping[str, Any]) -> list[dict[str, Any]]:
        state = self.rehearsal._document(self.host.entity("decision_ledger", gate["key"]))
        return state["entries"]


@pytest.fixture
def visit() -> Iterator[Visit]:
    rehearsal = Rehearsal()
    with rehearsal.host(settings=SETTINGS) as host:
        yield Visit(rehearsal, host)


def hidden(page: str, *, steering: bool = False) -> dict[str, str]:
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    form = next((each for each in forms if ('/steering"' in each) is steering), "")
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}


def headers_of(answer: Response) -> dict[str, str]:
    return {name.casefold(): value for name, value in dict(answer.headers).items()}


def approving(page: Response, **more: Any) -> dict[str, Any]:
    return {**hidden(page.body.decode()), "decision": "approve", "comment": "", **more}


# -- reading --------------------------------------------------------------------------------------------------


def test_the_page_shows_what_a_careful_person_needs(visit: Visit) -> None:
    gate = visit.begin()
    page = visit.get(visit.link(gate)).body.decode()
    for words in (
        f"Shall {NAME} come home?",
        "eastus → centralus",
        "Data loss",
        "dana@contoso.com",
        "Open ContosoWin2016-test in the Azure portal",
        'in the isolated network <span class="mono">isolated</span>',
        "the rehearsal is cleaned up and the machine stays where it is",
        "it cannot be taken back",
        "If nobody answers",
        gate["planHash"],
    ):
        assert words in page, words


def test_the_page_says_who_decides_by_when_and_when_it_is_done(visit: Visit) -> None:
    window = {"days": ["sat", "sun"], "opens": "22:00", "closes": "04:00", "zone": "Europe/Berlin"}
    policy = {"approvers": ["olive@contoso.com", "omar@contoso.com"], "quorum": 2, "groups": ["g-1", "g-2"]}
    gate = visit.begin(approvals={**policy, "window": window, "timeout": "PT90M"})
    page = visit.get(visit.link(gate)).body.decode()
    for words in (
        "olive@contoso.com, omar@contoso.com and members of 2 groups",
        "2 people must approve, 0 so far",
        "UTC, in 1 h 30 min",
        "sat, sun 22:00 to 04:00, Europe/Berlin; next from 2026-11-21 21:00 until 2026-11-22 03:00 UTC",
        "the machines stay where they are, and rehearsals are cleaned up",
    ):
        assert words in page, words


def test_after_the_first_deadline_the_page_names_the_further_people_too(visit: Visit) -> None:
    further = {"approvers": ["lead@contoso.com"], "timeout": "PT2H"}
    policy = {"approvers": ["olive@contoso.com"], "onTimeout": "escalate", "escalateTo": further}
    visit.begin(approvals={**policy, "timeout": "PT1H"})
    assert "lead@contoso.com can decide as well, until" in visit.get(RUN).body.decode()
    visit.rehearsal.clock.advance(timedelta(minutes=61))
    page = visit.get(RUN).body.decode()
    assert "olive@contoso.com, lead@contoso.com" in page
    assert "UTC, in 1 h 59 min" in page


def test_of_many_machines_only_those_are_open_that_are_not_well() -> None:
    names = [f"Web{number}" for number in range(6)]
    bad = {"testArrives": {"network": "elsewhere"}}
    machines = [standing("protected-in-reverse", name, **(bad if name == "Web4" else {})) for name in names]
    rehearsal = Rehearsal(machines)
    with rehearsal.host(settings=SETTINGS) as host:
        visit = Visit(rehearsal, host)
        visit.begin(*names)
        page = visit.get(RUN).body.decode()
        cards = re.findall(r'<details class="card"( open)?>\s*<summary>\s*<h3>(\w+)</h3>', page)
        assert [(name, bool(opened)) for opened, name in cards] == [(name, name == "Web4") for name in names]
        assert "5 passed, 1" in page
        assert "0 decided so far" in page
        assert visit.send(f"{RUN}/decisions", approving(visit.get(RUN), machine=["Web0", "Web4"])).status == 200
        again = visit.get(RUN).body.decode()
    # What is decided is not asked again; the others keep their places in the form.
    assert re.findall(r'name="machine" value="(\w+)"', again) == ["Web1", "Web2", "Web3", "Web5"]
    assert re.findall(r'<select id="point-(\d)"', again) == ["1", "2", "3", "5"]
    assert "decided: approve, by olive@contoso.com" in again
    assert "You said “approve” for Web0, Web4" in again


def test_who_asks_about_a_failure_says_which_step_and_what_failed(visit: Visit) -> None:
    visit.rehearsal.fault("job-fails", act="testFailover")
    gate = visit.begin()
    page = visit.get(RUN).body.decode()
    assert gate["gate"] == "intervention"
    assert "The step “rehearse” failed on the way from eastus to centralus" in page
    for label in ("Try again", "Go on without it", "Stop here"):
        assert label in page


def test_reading_a_link_decides_nothing_however_often_it_is_read(visit: Visit) -> None:
    gate = visit.begin()
    link = visit.link(gate)
    pages = [visit.get(link) for _ in range(5)]
    assert {page.status for page in pages} == {200}
    assert visit.recorded(gate) == []
    assert visit.send(link, approving(pages[0])).status == 200


@pytest.mark.parametrize("path", ["/api/ui", RUN])
def test_the_pages_say_how_to_be_known_to_whom_nobody_knows(visit: Visit, path: str) -> None:
    visit.begin()
    answer = visit.host.request("GET", path)
    assert answer.status == 401
    assert 'href="/api/ui/sign-in"' in answer.body.decode()


def test_a_browser_is_given_the_name_of_whoever_sits_at_it(visit: Visit) -> None:
    gate = visit.begin()
    asked = visit.host.request("GET", "/api/ui/sign-in")
    assert "Who are you?" in asked.body.decode()
    answer = visit.host.request(
        "POST", "/api/ui/sign-in", body=b"name=olive%2B1%40contoso.com", headers={"Content-Type": FORM}
    )
    assert (answer.status, headers_of(answer)["location"]) == (303, "/api/ui")
    said = headers_of(answer)["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Strict" in said
    cookie = {"Cookie": f"other=1; {said.partition(';')[0]}", "Content-Type": FORM}
    page = visit.host.request("GET", RUN, headers=cookie)
    sent = urlencode(approving(page)).encode()
    assert visit.host.request("POST", f"{RUN}/decisions", body=sent, headers=cookie).status == 200
    assert visit.recorded(gate)[0]["by"] == "olive+1@contoso.com"


@pytest.mark.parametrize("cookie", ["", "failback-user=", "failback-user", "=;;,", "a=b"])
def test_a_cookie_that_says_no_name_is_nobody(visit: Visit, cookie: str) -> None:
    assert visit.host.request("GET", "/api/ui", headers={"Cookie": cookie}).status == 401


def test_nobody_signs_in_without_a_name(visit: Visit) -> None:
    answer = visit.host.request("POST", "/api/ui/sign-in", body=b"name=+", headers={"Content-Type": FORM})
    assert answer.status == 400


def test_where_entra_names_people_no_browser_is_taken_at_its_word() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host(settings={**SETTINGS, "FAILBACK_IDENTITY": "app-service"}) as host:
        cookie = {"Cookie": "failback-user=olive%40contoso.com"}
        refused = host.request("GET", "/api/ui", headers=cookie)
        assert refused.status == 401
        assert "/.auth/login/aad" in refused.body.decode()
        assert host.request("GET", "/api/ui/sign-in").status == 404
        sent = host.request("POST", "/api/ui/sign-in", body=b"name=olive", headers={"Content-Type": FORM})
        assert sent.status == 404


def test_a_run_that_does_not_exist_is_said_so_in_a_page(visit: Visit) -> None:
    answer = visit.get("/api/ui/failbacks/fb-none")
    assert answer.status == 404
    assert "<h1>There is no run fb-none</h1>" in answer.body.decode()


def test_the_list_marks_the_run_that_waits_for_people(visit: Visit) -> None:
    visit.begin()
    page = visit.get("/api/ui").body.decode()
    assert "waits for people" in page
    assert RUN in page


def test_a_finished_run_shows_its_end_and_leads_to_the_report(visit: Visit) -> None:
    rehearsal = visit.rehearsal
    visit.host.start("failback", rehearsal.request(mode="drill"), instance_id=rehearsal.run)
    assert rehearsal._until_asked_or_finished(visit.host, timedelta(days=60)) is None
    page = visit.get(RUN).body.decode()
    assert "/api/failbacks/fb-test/report?format=html" in page
    assert "refresh every" not in page


def test_a_page_is_fetched_again_only_where_somebody_asked_for_it(visit: Visit) -> None:
    visit.host.start("failback", visit.rehearsal.request(), instance_id=visit.rehearsal.run)
    assert "refresh" not in headers_of(visit.get(RUN))
    assert headers_of(visit.get(f"{RUN}?follow=15"))["refresh"] == "15"
    for nonsense in ("0", "1", "x", "999999", "-5", "%D9%A3%D9%A0"):
        assert "refresh" not in headers_of(visit.get(f"{RUN}?follow={nonsense}"))


def test_a_network_that_is_not_the_expected_one_is_shown_line_by_line() -> None:
    machines = [standing("protected-in-reverse", NAME, testArrives={"network": "elsewhere"})]
    rehearsal = Rehearsal(machines)
    with rehearsal.host(settings=SETTINGS) as host:
        visit = Visit(rehearsal, host)
        visit.begin()
        page = visit.get(RUN).body.decode()
    assert "expected and found" in page
    assert "(differs)" in page


# -- deciding -------------------------------------------------------------------------------------------------


def test_a_link_counts_once(visit: Visit) -> None:
    gate = visit.begin(approvals={"quorum": 2})
    link = visit.link(gate)
    page = visit.get(link)
    first = visit.send(link, approving(page))
    assert first.status == 200
    assert "The gate waits for more: 2 people must approve, 1 so far" in first.body.decode()
    again = visit.send(link, approving(page))
    assert again.status == 410
    assert visit.get(link).status == 410
    assert [each["by"] for each in visit.recorded(gate)] == ["olive@contoso.com"]


def test_what_a_link_records_says_who_how_and_what_was_shown(visit: Visit) -> None:
    gate = visit.begin()
    link = visit.link(gate)
    visit.send(link, approving(visit.get(link), comment="looks well"))
    entry = visit.recorded(gate)[0]
    assert (entry["by"], entry["method"], entry["comment"]) == ("olive@contoso.com", "link", "looks well")
    assert entry["planHash"] == gate["planHash"]
    assert entry["id"].startswith("link-")


def test_a_link_that_has_expired_is_gone(visit: Visit) -> None:
    gate = visit.begin()
    link = visit.link(gate, expires=visit.rehearsal.clock.now() - timedelta(seconds=1))
    assert visit.get(link).status == 410


def test_a_link_that_expires_while_its_page_is_open_records_nothing(visit: Visit) -> None:
    gate = visit.begin()
    link = visit.link(gate, expires=visit.rehearsal.clock.now() + timedelta(minutes=10))
    page = visit.get(link)
    visit.rehearsal.clock.advance(timedelta(minutes=11))
    answer = visit.send(link, approving(page))
    assert answer.status == 410
    assert "The link has expired" in answer.body.decode()
    assert visit.recorded(gate) == []
    # The gate is open for longer; on the page of the run the same person may still decide.
    assert visit.send(f"{RUN}/decisions", approving(visit.get(RUN))).status == 200


def test_what_a_page_sends_too_late_is_refused_and_kept(visit: Visit) -> None:
    gate = visit.begin(approvals={"quorum": 2})
    link, other = visit.link(gate), visit.link(gate, "omar@contoso.com")
    first, second, page = visit.get(link), visit.get(other), visit.get(RUN)
    assert visit.send(link, approving(first)).status == 200
    assert visit.send(link, approving(first, comment="again")).status == 410
    assert visit.send(RUN + "/decisions", approving(page), by="olive@contoso.com").status == 409
    stop = {"decision": "stop"}
    assert visit.send(RUN + "/decisions", approving(visit.get(RUN, by="pia"), **stop), by="pia").status == 200
    visit.host.run_until(visit.rehearsal.run)
    assert visit.send(other, approving(second)).status == 410
    assert visit.send(RUN + "/decisions", approving(page, comment="late")).status == 410
    while visit.host.step():
        pass
    strays = visit.host.request("GET", "/api/failbacks/fb-test", headers={"X-Failback-User": "v"}).json()["strays"]
    assert [(each["by"], each["method"], each["judgement"]) for each in strays] == [
        ("olive@contoso.com", "link", "late"),
        ("omar@contoso.com", "link", "late"),
        ("olive@contoso.com", "declared", "late"),
    ]
    assert strays[0]["why"].startswith("the link was used")


def test_a_link_is_worth_nothing_to_somebody_else_who_is_signed_in() -> None:
    olive, omar = (f"0e0e0e0e-0000-0000-0000-00000000000{number}" for number in (1, 2))
    azure = {
        **{name: value for name, value in SETTINGS.items() if name != "FAILBACK_IDENTITY"},
        "FAILBACK_TENANT_ID": TENANT,
        "WEBSITE_AUTH_ENABLED": "True",
        "FAILBACK_ALIASES": json.dumps({"olive@contoso.com": olive}),
    }

    def signed_in(oid: str, role: Role = Role.APPROVER) -> dict[str, str]:
        said = (("oid", oid), ("tid", TENANT), ("upn", f"{oid[-1]}@contoso.test"), ("roles", role.value))
        return {"X-MS-CLIENT-PRINCIPAL": principal(*said)}

    rehearsal = Rehearsal()
    with rehearsal.host(settings=azure) as host:
        visit = Visit(rehearsal, host)
        gate = visit.begin(approvals={"approvers": ["olive@contoso.com"]})
        link = visit.link(gate)
        page = visit.get(link, **signed_in(olive))
        assert page.status == 200
        other = visit.get(link, **signed_in(omar))
        assert (other.status, "The link is somebody else&#39;s" in other.body.decode()) == (403, True)
        assert visit.send(link, approving(page), **signed_in(omar)).status == 403
        assert visit.get(link, **{"X-MS-CLIENT-PRINCIPAL": "nonsense"}).status == 401
        # Whoever starts a run names its approvers; that makes nobody one who has not the role.
        assert visit.get(link, **signed_in(olive, Role.OPERATOR)).status == 403
        assert visit.recorded(gate) == []
        assert visit.send(link, approving(page), **signed_in(olive)).status == 200
        shown = host.request("GET", "/api/failbacks/fb-test", headers=signed_in(omar)).json()
    assert [(each["byId"], each["judgement"]) for each in shown["strays"]] == [(omar, "notPermitted")]


def test_a_form_that_lay_open_until_the_gate_asked_anew_records_nothing(visit: Visit) -> None:
    visit.begin()
    old = visit.get(RUN)
    point = {"decision": "changeRecoveryPoint", "point-0": "latestProcessed"}
    assert visit.send(f"{RUN}/decisions", approving(visit.get(RUN), **point)).status == 200
    again = visit.gate()
    assert visit.send(f"{RUN}/decisions", approving(old)).status == 403
    assert (again["round"], visit.recorded(again)) == (2, [])


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_link_that_was_touched_is_none_of_ours(visit: Visit, place: int) -> None:
    link = visit.link(visit.begin())
    letters = list(link.rsplit("/", 1)[-1])
    letters[place] = "A" if letters[place] != "A" else "B"
    forged = visit.get("/api/approvals/" + "".join(letters))
    assert forged.status == 404


def test_a_link_of_another_round_is_stale(visit: Visit) -> None:
    gate = visit.begin()
    assert visit.get(visit.link(gate, hash="0" * 64)).status == 409


def test_a_link_does_not_answer_another_question_than_its_own(visit: Visit) -> None:
    gate = visit.begin()
    link = visit.link(gate)
    answer = visit.send(link, approving(visit.get(link), planHash="1" * 64))
    assert answer.status == 409
    assert visit.recorded(gate) == []


def test_a_form_without_the_token_of_its_page_counts_for_nothing(visit: Visit) -> None:
    gate = visit.begin()
    page = visit.get(RUN)
    for token in ("", "x", hidden(page.body.decode())["csrf"][:-2]):
        assert visit.send(f"{RUN}/decisions", approving(page, csrf=token)).status == 403
    assert visit.recorded(gate) == []


def test_the_token_of_one_person_is_worth_nothing_to_another(visit: Visit) -> None:
    gate = visit.begin()
    page = visit.get(RUN, by="olive@contoso.com")
    assert visit.send(f"{RUN}/decisions", approving(page), by="mallory@contoso.com").status == 403
    assert visit.recorded(gate) == []


def test_a_form_that_another_site_made_a_browser_send_is_refused(visit: Visit) -> None:
    gate = visit.begin()
    page = visit.get(RUN)
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert visit.send(f"{RUN}/decisions", approving(page), **header).status == 403
    assert visit.recorded(gate) == []


def test_who_signed_in_decides_on_the_page_of_the_run(visit: Visit) -> None:
    gate = visit.begin()
    answer = visit.send(f"{RUN}/decisions", approving(visit.get(RUN), comment="seen it"))
    assert answer.status == 200
    assert "Recorded" in answer.body.decode()
    assert "With that the gate is decided" in answer.body.decode()
    assert visit.recorded(gate)[0]["method"] == "declared"


def test_a_viewer_sees_the_gate_and_no_form(visit: Visit) -> None:
    visit.begin()
    viewer = {"X-Failback-Roles": Role.VIEWER.value}
    page = visit.get(RUN, by="vera@contoso.com", **viewer)
    assert f"Shall {NAME} come home?" in page.body.decode()
    assert "<form" not in page.body.decode()
    sent = visit.send(f"{RUN}/decisions", {"decision": "approve"}, by="vera@contoso.com", **viewer)
    assert sent.status == 403


def test_an_operator_pauses_resumes_and_cancels_on_the_page_of_the_run(visit: Visit) -> None:
    visit.begin()
    omar = {"by": "omar@contoso.com", "X-Failback-Roles": Role.OPERATOR.value}

    def steer(operation: str, **more: str) -> Response:
        token = hidden(visit.get(RUN, **omar).body.decode(), steering=True)["csrf"]
        fields = {"csrf": token, "operation": operation, "reason": "wrong night", **more}
        return visit.send(f"{RUN}/steering", fields, **omar)

    assert steer("pause", csrf="forged").status == 403
    assert steer("explode").status == 400
    assert steer("pause").status == 200
    while "Paused:" not in (paused := visit.get(RUN, **omar).body.decode()):
        assert visit.host.step()
    assert "paused by omar@contoso.com: wrong night" in paused
    assert ('value="resume"' in paused, 'value="pause"' in paused) == (True, False)
    assert steer("resume").status == 200
    assert steer("cancel").status == 200
    visit.host.run_until(visit.rehearsal.run)
    ended = visit.get(RUN, **omar).body.decode()
    assert "<form" not in ended
    assert visit.send(f"{RUN}/steering", {"csrf": "x", "operation": "pause"}, **omar).status == 403


def test_a_run_is_steered_by_nobody_who_may_only_decide(visit: Visit) -> None:
    visit.begin()
    olive = {"by": "olive@contoso.com", "X-Failback-Roles": Role.APPROVER.value}
    page = visit.get(RUN, **olive).body.decode()
    assert f"{RUN}/decisions" in page
    assert "steering" not in page
    fields = {"csrf": hidden(page)["csrf"], "operation": "cancel"}
    assert visit.send(f"{RUN}/steering", fields, **olive).status == 403
    # The token of one form is worth nothing in the other.
    assert visit.send(f"{RUN}/steering", fields, by="olive@contoso.com").status == 403


def test_breaking_the_glass_is_offered_to_nobody_else(visit: Visit) -> None:
    visit.begin(approvals={"breakGlass": True})
    plain = visit.get(RUN, by="olive@contoso.com", **{"X-Failback-Roles": Role.APPROVER.value})
    roles = f"{Role.APPROVER.value},{Role.BREAK_GLASS.value}"
    glass = visit.get(RUN, by="gwen@contoso.com", **{"X-Failback-Roles": roles})
    assert "breakGlass" not in plain.body.decode()
    assert "breakGlass" in glass.body.decode()


def test_some_machines_are_approved_and_the_others_stay_asked_about() -> None:
    names = ["Web1", "Web2", "Web3"]
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
    with rehearsal.host(settings=SETTINGS) as host:
        visit = Visit(rehearsal, host)
        gate = visit.begin(*names)
        page = visit.get(RUN)
        assert visit.send(f"{RUN}/decisions", approving(page, machine=["Web1", "Web3"])).status == 200
        assert visit.recorded(gate)[0]["machines"] == ["Web1", "Web3"]


def test_another_point_is_chosen_from_the_list_that_says_what_would_be_lost(visit: Visit) -> None:
    gate = visit.begin()
    page = visit.get(RUN)
    offered = re.findall(r'<option value="(id:[^"]+)">([^<]+)</option>', page.body.decode())
    assert len(offered) > 5
    assert all(" lost" in label for _, label in offered)
    fields = approving(page, decision="changeRecoveryPoint", **{"point-0": offered[3][0]})
    assert visit.send(f"{RUN}/decisions", fields).status == 200
    chosen = visit.recorded(gate)[0]["recoveryPoints"][NAME]
    assert chosen == {"select": "custom", "id": offered[3][0].removeprefix("id:")}
    again = visit.gate()
    assert (again["gate"], again["round"]) == ("failback", 2)


def test_one_machine_is_committed_and_another_goes_to_another_point_by_name() -> None:
    names = ["Web1", "Web2"]
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
    with rehearsal.host(settings=SETTINGS) as host:
        visit = Visit(rehearsal, host)
        visit.begin(*names, testFailover={"enabled": False})
        path = f"{RUN}/decisions"
        assert visit.send(path, approving(visit.get(RUN), machine=names)).status == 200
        gate = visit.gate()
        page = visit.get(RUN)
        # The second machine's list, though the form has one for the first as well.
        second = page.body.decode().split('<select id="point-1"')[1]
        [point, *_] = re.findall(r'<option value="(id:[^"]+)">', second)
        change = {"decision": "changeRecoveryPoint", "point-0": "", "point-1": point}
        assert visit.send(path, approving(page, **change)).status == 200
        assert visit.send(path, approving(visit.get(RUN), machine=["Web1"])).status == 200
        again = visit.gate()
    assert (gate["gate"], again["gate"], again["round"], again["machines"]) == ("commit", "commit", 2, ["Web2"])
    assert ("commit", "Web2") not in rehearsal.posts()
    [row] = again["shown"]["machines"]
    assert row["usedPoint"]["id"].rsplit("/", 1)[-1] == point.removeprefix("id:").rsplit("/", 1)[-1]


# -- hostile words --------------------------------------------------------------------------------------------


def test_a_script_in_a_comment_is_shown_as_words(visit: Visit) -> None:
    visit.begin(approvals={"quorum": 2})
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    visit.send(f"{RUN}/decisions", approving(visit.get(RUN), comment=evil))
    page = visit.get(RUN, by="omar@contoso.com").body.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page


def test_a_script_in_a_name_is_shown_as_words(visit: Visit) -> None:
    evil = "<script>alert(1)</script>"
    visit.begin(approvals={"quorum": 2, "approvers": [evil, "olive@contoso.com"]})
    sent = visit.send(f"{RUN}/decisions", approving(visit.get(RUN, by=evil)), by=evil)
    pages = [visit.get(path, by=evil).body.decode() for path in (RUN, "/api/ui")]
    for page in (sent.body.decode(), *pages):
        assert "&lt;script&gt;alert(1)" in page
        assert "<script" not in page


@pytest.mark.parametrize("path", ["/api/ui", RUN, "link"])
def test_a_page_may_load_nothing_and_be_framed_by_nobody(visit: Visit, path: str) -> None:
    gate = visit.begin()
    answer = visit.get(visit.link(gate) if path == "link" else path)
    headers = headers_of(answer)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    page = answer.body.decode()
    assert not re.search(r'\b(src|href)="https?://(?!portal\.azure\.com/)', page)
    assert " style=" not in page
    assert " on" not in re.sub(r">[^<]*<", "><", page).replace(" only", "").split("</style>")[1].split("<form")[0]


def test_a_page_sends_the_fields_that_are_described_and_no_others() -> None:
    names = ["Web1", "Web2"]
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
    with rehearsal.host(settings=SETTINGS) as host:
        visit = Visit(rehearsal, host)
        visit.begin(*names, approvals={"breakGlass": True})
        page = visit.get(RUN).body.decode()
    deciding, steering = page.split(f'action="{RUN}/steering"')
    named = re.compile(r'<(?:input|select|textarea) [^>]*name="([^"]+)"')
    assert set(named.findall(deciding)) - {"point-1"} == set(FIELDS)
    assert set(named.findall(steering)) == set(STEERING)


def test_an_oversized_form_is_refused(visit: Visit) -> None:
    gate = visit.begin()
    assert visit.send(f"{RUN}/decisions", approving(visit.get(RUN), comment="x" * 300_000)).status == 413
    assert visit.recorded(gate) == []
