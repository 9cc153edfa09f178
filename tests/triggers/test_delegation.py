"""A voice that is handed over, by HTTP: who decides in whose place, who is told, and what nobody gains by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from activities.deliver import page_for
from domain.notices import DeliveryOrder, Notice
from domain.people import Role
from localhost import Response, SyncHost
from tests.pages.test_pages import SETTINGS as PAGES
from tests.pages.test_pages import Visit, hidden
from tests.rehearsal import SETTINGS as DECLARED
from tests.rehearsal import Rehearsal
from tests.triggers.test_decisions import DANA, OLIVE, PIA, Entra, Gate
from triggers import people

LEE, ZOE = "lee@contoso.com", "zoe@contoso.com"


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def host(rehearsal: Rehearsal) -> Iterator[SyncHost]:
    with rehearsal.host() as host:
        yield host


def hand_over(gate: Gate, /, by: str = OLIVE, to: Any = PIA, **more: Any) -> Response:
    return gate.decide(by, **{"decision": "delegate", "to": to, "comment": "on leave", **more})


def notices(host: SyncHost, kind: str) -> list[Notice]:
    told = [each for each in host.instances() if f":tell-{kind}-" in each.instance_id and each.name == "herald"]
    told.sort(key=lambda each: each.created)
    return [Notice.from_wire(Rehearsal._document(each.input)) for each in told]


def until_told(host: SyncHost, kind: str) -> Notice:
    while not (told := notices(host, kind)):
        assert host.step()
    return told[-1]


# -- what a delegate is for -----------------------------------------------------------------------------------


def test_a_delegate_decides_in_the_place_of_an_approver_and_the_record_says_for_whom_and_why(
    rehearsal: Rehearsal, host: SyncHost
) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE], quorum=2)
    assert gate.decide(PIA).status == 403
    assert hand_over(gate).status == 200
    assert gate.decide(OLIVE).status == 403
    assert gate.decide(PIA).status == 200
    # Two people are still two people: one of them is the delegate.
    assert gate.shown()["gates"][0]["key"] == gate.asked["key"]
    assert gate.decide(LEE).status == 200
    gate.until_past()
    gate.asked = gate.until_asked("commit")
    # The gate of another round asks everybody in their own name again.
    assert gate.decide(PIA).status == 403
    assert gate.decide(OLIVE, decision="stop").status == 200
    host.run_until(gate.run)

    def report(form: str) -> Response:
        path = f"/api/failbacks/{gate.run}/report?format={form}"
        return host.request("GET", path, headers=gate.starter)

    counted = [each for each in report("json").json()["decisions"] if each["judgement"] == "recorded"]
    assert [(each["by"], each["decision"], each["to"], each["onBehalfOf"]) for each in counted] == [
        (OLIVE, "delegate", PIA, []),
        (PIA, "approve", "", [OLIVE]),
        (LEE, "approve", "", []),
        (OLIVE, "stop", "", []),
    ]
    for form in ("html", "markdown"):
        text = report(form).text.replace("\\", "")
        for words in (f"{PIA} for {OLIVE}", f"delegate to {PIA}", "on leave"):
            assert words in text, (form, words)


def test_the_delegate_is_told_at_once_and_gets_the_reminders_instead(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE], quorum=2, timeout="P2D", remindEvery="PT5H")
    assert hand_over(gate, comment="on leave\nuntil Monday").status == 200
    told = until_told(host, "delegated")
    assert told.ask is not None
    assert told.ask.approvers == (PIA,)
    assert f"{PIA} decides for {OLIVE}: on leave until Monday." in told.words
    reminded = until_told(host, "reminder")
    assert reminded.ask is not None
    assert reminded.ask.approvers == (LEE, PIA)
    assert f"{PIA} decides for {OLIVE}: on leave until Monday." in reminded.words
    assert "Nobody has decided" in " ".join(reminded.words)
    assert gate.decide(PIA).status == 200
    while len(again := notices(host, "reminder")) < 2:
        assert host.step()
    assert again[-1].ask is not None
    assert again[-1].ask.approvers == (LEE,)
    assert gate.decide(LEE).status == 200
    closed = until_told(host, "gateClosed")
    assert f"by {PIA} for {OLIVE}, {LEE}" in closed.words[0]
    assert closed.words[-1] == f"{PIA} decides for {OLIVE}: on leave until Monday."
    # However often the gate looked, each was told once.
    assert len(notices(host, "delegated")) == 1


def test_a_delegate_has_a_signed_link_of_their_own_and_decides_by_it(rehearsal: Rehearsal) -> None:
    with rehearsal.host(settings=PAGES) as host:
        gate = Gate(rehearsal, host, approvers=[OLIVE])
        assert hand_over(gate).status == 200
        order = DeliveryOrder(notice=until_told(host, "delegated"), channel=f"mail:{PIA}")
        link = urlsplit(page_for(people.settings(), order) or "").path
        assert link.startswith("/api/approvals/")
        visit = Visit(rehearsal, host)
        page = visit.get(link, by="nobody")
        assert f"You speak for {OLIVE} as well: “on leave”." in page.text
        assert f"<strong>{OLIVE}</strong> delegate to {PIA}" in page.text
        said = visit.send(link, {**hidden(page.text), "decision": "approve"}, by="nobody")
        assert said.status == 200
        assert f"{PIA} for {OLIVE}: approve" in said.text
        assert [(each["by"], each["onBehalfOf"], each["method"]) for each in gate.entries()][1:] == [
            (PIA, [OLIVE], "link")
        ]


def test_a_voice_is_handed_over_on_the_page_and_by_link_which_is_used_up_by_it(rehearsal: Rehearsal) -> None:
    for by_link in (False, True):
        with rehearsal.host(settings=PAGES) as host:
            visit = Visit(rehearsal, host)
            gate = visit.begin(approvals={"approvers": [OLIVE, LEE], "quorum": 2})
            shown = visit.link(gate) if by_link else f"/api/ui/failbacks/{rehearsal.run}"
            sent_to = shown if by_link else f"{shown}/decisions"
            page = visit.get(shown)
            form = {**hidden(page.text), "decision": "delegate", "to": PIA}
            assert visit.send(sent_to, form).status == 400
            answer = visit.send(sent_to, {**form, "comment": "<b>on leave</b>"})
            assert answer.status == 200
            assert f"{OLIVE}: delegate to {PIA} at gate failback" in answer.text
            mine = visit.get(f"/api/ui/failbacks/{rehearsal.run}")
            assert f"You handed your voice to {PIA}, who decides in your place." in mine.text
            assert 'name="decision"' not in mine.text
            assert "<b>on leave</b>" not in mine.text
            if by_link:
                assert visit.send(sent_to, {**form, "comment": "again"}).status == 410
            theirs = visit.get(f"/api/ui/failbacks/{rehearsal.run}", by=PIA)
            assert f"You speak for {OLIVE} as well" in theirs.text
        rehearsal = Rehearsal()


def test_the_same_delegation_sent_again_under_its_key_is_one(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE], quorum=2)
    key = {"Idempotency-Key": "answer-was-lost"}
    first, again = hand_over(gate, headers=key), hand_over(gate, headers=key)
    assert (first.status, again.status) == (200, 200)
    assert first.json() == again.json()
    assert hand_over(gate, to=ZOE, headers=key).status == 409
    assert len(gate.entries()) == 1


# -- what nobody gains by it ----------------------------------------------------------------------------------


def test_two_voices_in_one_hand_are_one_voice_however_they_got_there(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE, PIA], quorum=2)
    assert [hand_over(gate, by).status for by in (OLIVE, LEE)] == [200, 200]
    assert [gate.decide(by).status for by in (PIA, PIA.upper())] == [200, 409]
    assert gate.entries()[2]["onBehalfOf"] == [OLIVE, LEE]
    for _ in range(5):
        host.step()
    assert gate.shown()["gates"][0]["key"] == gate.asked["key"]


TRIES: list[tuple[str, str, dict[str, Any], tuple[int, str]]] = [
    (OLIVE, DANA, {}, (403, "notPermitted")),
    (OLIVE, DANA.upper(), {}, (403, "notPermitted")),
    (OLIVE, "dana-admin@contoso.com", {}, (403, "notPermitted")),
    (OLIVE, OLIVE, {}, (403, "notPermitted")),
    (OLIVE, "\uff2fLIVE\uff20contoso.com", {}, (403, "notPermitted")),
    (OLIVE, "Olive-Home@Contoso.com", {}, (403, "notPermitted")),
    ("olive-home@contoso.com", OLIVE, {}, (403, "notPermitted")),
    (DANA, PIA, {}, (403, "notPermitted")),
    (ZOE, PIA, {}, (403, "notPermitted")),
    (OLIVE, PIA, {"planHash": "0" * 64}, (409, "stale")),
]


def test_a_voice_goes_to_nobody_who_may_not_have_it_and_every_try_is_kept(rehearsal: Rehearsal) -> None:
    known = {"dana-admin@contoso.com": DANA, "olive-home@contoso.com": OLIVE}
    with rehearsal.host(settings={**DECLARED, "FAILBACK_ALIASES": json.dumps(known)}) as host:
        gate = Gate(rehearsal, host, approvers=[OLIVE, DANA])
        for by, to, more, refused in TRIES:
            answer = hand_over(gate, by, to, **more)
            assert (answer.status, answer.json()["judgement"]) == refused, (by, to)
        told = [(each["by"], each["decision"], each["judgement"]) for each in gate.entries()]
        assert told == [(by, "delegate", refused[1]) for by, _, _, refused in TRIES]
        # Nobody learns by trying whose an address is.
        assert {tuple(each["toAlso"]) for each in gate.entries()} == {()}
        # A gate that is not asked at takes no voice either.
        assert hand_over(gate, gate="commit").status == 409
        assert [(each["by"], each["decision"], each["judgement"]) for each in gate.strays()] == [
            (OLIVE, "delegate", "stale")
        ]
        # Nothing has changed: whose voice it is may still use it.
        assert gate.decide(OLIVE).status == 200


def test_a_voice_is_neither_handed_on_nor_handed_over_twice(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE, PIA], quorum=2)
    assert hand_over(gate).status == 200
    assert hand_over(gate, PIA, ZOE).status == 403
    assert hand_over(gate, LEE, OLIVE).status == 403
    assert hand_over(gate, OLIVE, ZOE).status == 409
    assert gate.decide(ZOE).status == 403
    assert hand_over(gate, LEE, PIA).status == 200


def test_nobody_hands_over_after_having_decided(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE], quorum=2)
    assert gate.decide(OLIVE).status == 200
    answer = hand_over(gate)
    assert (answer.status, answer.json()["judgement"]) == (409, "duplicate")
    assert gate.decide(PIA).status == 403


def test_a_voice_that_is_handed_over_after_the_gate_closed_is_late_and_kept(
    rehearsal: Rehearsal, host: SyncHost
) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, LEE])
    rehearsal.clock.advance(timedelta(days=1, seconds=1))
    assert hand_over(gate).status == 410
    assert [each["judgement"] for each in gate.entries()] == ["late"]
    host.run_until(gate.run)
    assert hand_over(gate, LEE).status == 410
    assert [(each["by"], each["decision"], each["judgement"]) for each in gate.strays()] == [
        (LEE, "delegate", "late")
    ]


NO_DELEGATIONS: list[dict[str, Any]] = [
    {"to": "p" * 10_000 + "@contoso.com"},
    {"to": "pia"},
    {"to": ""},
    {"to": None},
    {"to": [PIA, LEE]},
    {"to": {"__class__": "Entry", "__module__": "domain.gate"}},
    {"to": f"{PIA}\r\nBcc: {LEE}"},
    {"to": f"{PIA},{LEE}"},
    {"comment": " "},
    {"machines": ["ContosoWin2016"]},
    {"breakGlass": True},
    {"notBefore": "2026-11-22T02:00:00Z"},
    {"decision": "approve"},
    *({forged: [OLIVE]} for forged in ("toAlso", "onBehalfOf", "also", "person", "__class__")),
]


def test_what_a_delegation_cannot_be_is_refused_at_the_door(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE])
    for body in NO_DELEGATIONS:
        answer = hand_over(gate, **body)
        assert answer.status == 400, str(body)[:80]
        assert len(answer.body) < 4_000, "what was sent is not sent back at length"
    assert gate.entries() == []


@pytest.mark.parametrize("roles", ["viewer", "operator", "breakGlass"])
def test_a_delegate_needs_the_role_like_everybody_and_so_does_who_hands_over(
    rehearsal: Rehearsal, host: SyncHost, roles: str
) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE])
    without = {"X-Failback-Roles": roles}
    assert hand_over(gate, headers=without).status == 403
    assert hand_over(gate).status == 200
    assert gate.decide(PIA, headers=without).status == 403
    assert gate.decide(PIA, headers={"X-Failback-Roles": "approver"}).status == 200


def test_an_app_neither_hands_over_nor_decides_with_what_it_was_handed(rehearsal: Rehearsal) -> None:
    entra = Entra(rehearsal)
    with rehearsal.host(settings=entra.settings) as host:
        gate = Gate(rehearsal, host, starter=entra.by("dana", Role.OPERATOR), groups=["g-ops"])
        robot_id = "0a0a0a0a-0000-0000-0000-00000000000a"
        said: dict[str, Any] = {
            "preferred_username": "",
            "oid": robot_id,
            "scp": None,
            "azp": "robot",
            "groups": ["g-ops"],
        }
        robot = {"Authorization": f"Bearer {entra.tenant.token(roles=[Role.APPROVER.value], **said)}"}
        body = gate.body(decision="delegate", to=Entra.IDS["dana"], comment="on leave")
        assert host.request("POST", gate.path, json=body, headers=robot).status == 403
        pia = entra.by("pia", Role.APPROVER)
        # Dana asked for the run; her object id tells, whatever address she reads.
        assert host.request("POST", gate.path, json=body, headers=pia).status == 403
        assert host.request("POST", gate.path, json={**body, "to": robot_id}, headers=pia).status == 200
        answer = host.request("POST", gate.path, json=gate.body(), headers=robot)
        assert answer.status == 403
        assert "only people decide" in answer.json()["detail"]


def test_the_requester_gains_no_voice_under_an_address_that_nobody_knew_was_theirs(rehearsal: Rehearsal) -> None:
    entra = Entra(rehearsal)
    with rehearsal.host(settings=entra.settings) as host:
        gate = Gate(rehearsal, host, starter=entra.by("dana", Role.OPERATOR), groups=["g-ops"])
        body = gate.body(decision="delegate", to="second@contoso.com", comment="on leave")
        assert host.request("POST", gate.path, json=body, headers=entra.by("pia", Role.APPROVER)).status == 200
        said: dict[str, Any] = {"preferred_username": "second@contoso.com", "oid": Entra.IDS["dana"]}
        dana = {"Authorization": f"Bearer {entra.tenant.token(roles=[Role.APPROVER.value], **said)}"}
        assert host.request("POST", gate.path, json=gate.body(), headers=dana).status == 403
