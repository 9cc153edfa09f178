"""Decisions by HTTP: each is stored before it is acknowledged, counts once, and is kept if it does not count."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from domain.approvals import GateName
from domain.gate import Choice, DecisionRequest
from domain.people import Caller, Method, Role
from identity import links, tokens
from localhost import Response, SyncHost
from tests.identity.entra import SETTINGS, Tenant
from tests.rehearsal import NAME, VAULT, Rehearsal, standing
from tests.rehearsal import SETTINGS as DECLARED
from triggers import decisions, people
from triggers.problems import ProblemError

DANA, OLIVE, PIA = "dana@contoso.com", "olive@contoso.com", "pia@contoso.com"


class Gate:
    """A run that asks people at its first gate."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        host: SyncHost,
        machines: Sequence[str] = (NAME,),
        starter: dict[str, str] | None = None,
        **approvals: Any,
    ) -> None:
        self.rehearsal, self.host = rehearsal, host
        self.starter = starter or {"X-Failback-User": DANA}
        body = {"vault": VAULT, "machines": list(machines), "approvals": approvals}
        started = host.request("POST", "/api/failbacks", json=body, headers=self.starter)
        assert started.status == 202, started.text
        self.run = str(started.json()["id"])
        self.asked = self.until_asked()

    def shown(self) -> dict[str, Any]:
        answer = self.host.request("GET", f"/api/failbacks/{self.run}", headers=self.starter)
        return dict(answer.json())

    def until_asked(self, gate: str = "failback") -> dict[str, Any]:
        while not (asked := next((each for each in self.shown()["gates"] if each["gate"] == gate), None)):
            assert self.host.step()
        return dict(asked)

    def until_past(self) -> None:
        while any(each["key"] == self.asked["key"] for each in self.shown()["gates"]):
            assert self.host.step()

    def body(self, **more: Any) -> dict[str, Any]:
        return {"gate": self.asked["gate"], "decision": "approve", "planHash": self.asked["planHash"], **more}

    def decide(self, by: str = OLIVE, headers: dict[str, str] | None = None, **more: Any) -> Response:
        sent = {"X-Failback-User": by, **(headers or {})}
        return self.host.request("POST", self.path, json=self.body(**more), headers=sent)

    @property
    def path(self) -> str:
        return f"/api/failbacks/{self.run}/decisions"

    def entries(self) -> list[dict[str, Any]]:
        state: Any = self.host.entity("decision_ledger", self.asked["key"])
        return list((json.loads(state) if isinstance(state, str) else state)["entries"])

    def strays(self) -> list[dict[str, Any]]:
        while not (strays := self.shown()["strays"]):
            assert self.host.step()
        return list(strays)


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def host(rehearsal: Rehearsal) -> Iterator[SyncHost]:
    with rehearsal.host() as host:
        yield host


def test_a_decision_says_who_made_it_how_that_is_known_and_when(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2)
    answer = gate.decide("Olive@contoso.com", comment="looks well")
    assert (answer.status, answer.json()["by"], answer.json()["judgement"]) == (
        200,
        "Olive@contoso.com",
        "recorded",
    )
    [entry] = gate.entries()
    assert entry["id"] == answer.json()["id"]
    assert (entry["by"], entry["byId"], entry["method"]) == ("Olive@contoso.com", "olive@contoso.com", "declared")
    assert (entry["comment"], entry["planHash"]) == ("looks well", gate.asked["planHash"])
    assert entry["at"].startswith(rehearsal.clock.now().strftime("%Y-%m-%d"))


def test_a_decision_by_token_carries_object_id_groups_roles_and_address(rehearsal: Rehearsal) -> None:
    tenant = Tenant()
    tokens.trust(tenant)
    azure = {**SETTINGS, "WEBSITE_SITE_NAME": "fb", "WEBSITE_HOSTNAME": "fb.contoso.test"}

    def by(name: str, oid: str, *roles: Role, **more: Any) -> dict[str, str]:
        token = tenant.token(preferred_username=name, oid=oid, roles=[role.value for role in roles], **more)
        return {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.1, 198.51.100.4:4711"}

    with rehearsal.host(settings=azure) as host:
        body = {"vault": VAULT, "machines": [NAME], "approvals": {"groups": ["g-ops"], "quorum": 2}}
        starter = by(DANA, "0d", Role.OPERATOR)
        run = host.request("POST", "/api/failbacks", json=body, headers=starter).json()["id"]
        while not (gates := host.request("GET", f"/api/failbacks/{run}", headers=starter).json()["gates"]):
            assert host.step()
        decision = {"gate": "failback", "decision": "approve", "planHash": gates[0]["planHash"]}
        path, olive = (
            f"/api/failbacks/{run}/decisions",
            by(OLIVE, "0e", Role.APPROVER, groups=["g-ops", "g-other"]),
        )
        assert host.request("POST", path, json=decision, headers=olive).status == 200

        outside = host.request("POST", path, json=decision, headers=by(PIA, "0f", Role.APPROVER, hasgroups=True))
        assert outside.status == 403
        assert "Entra left this person's groups out" in outside.json()["detail"]
        app = by("", "0a", Role.APPROVER, scp=None, azp="robot", groups=["g-ops"])
        refused = host.request("POST", path, json=decision, headers=app)
        assert refused.status == 403
        assert "only people decide" in refused.json()["detail"]

        shown = host.request("GET", f"/api/failbacks/{run}", headers=starter).json()
        first = shown["gates"][0]["decisions"][0]
        assert (first["byId"], first["groups"], first["roles"]) == ("0e", ["g-ops"], ["Failback.Approver"])
        assert (first["method"], first["address"]) == ("bearer", "198.51.100.4")


def test_two_hundred_at_once_are_all_recorded() -> None:
    names = [f"Contoso{number:02}" for number in range(10)]
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
    with rehearsal.host() as host:
        gate = Gate(rehearsal, host, machines=names, quorum=20)

        async def person(number: int) -> Response:
            # Twenty people for each machine: nobody is one too many.
            body, who = gate.body(machines=[names[number % 10]]), f"person-{number:03}@contoso.com"
            return await host.host.request("POST", gate.path, json=body, headers={"X-Failback-User": who})

        async def everybody() -> list[Response]:
            return await asyncio.gather(*(person(number) for number in range(200)))

        answers = host._run(everybody())
        assert [answer.status for answer in answers] == [200] * 200
        recorded = {entry["by"] for entry in gate.entries() if entry["judgement"] == "recorded"}
        assert len(recorded) == 200
        while gate.shown()["phase"] == "ask":
            assert host.step()
        assert gate.shown()["phase"] in {"recheck", "clean_up"}


def test_two_hundred_at_once_of_whom_one_is_enough_are_all_recorded_too(
    rehearsal: Rehearsal, host: SyncHost
) -> None:
    gate = Gate(rehearsal, host)

    async def everybody() -> list[Response]:
        people = [{"X-Failback-User": f"person-{number:03}"} for number in range(200)]
        sent = [host.host.request("POST", gate.path, json=gate.body(), headers=each) for each in people]
        return await asyncio.gather(*sent)

    answers = host._run(everybody())
    # The gate may close while they still come; then the rest is late, and kept beside it.
    assert {answer.status for answer in answers} <= {200, 409, 410}
    while len({each["by"] for each in (*gate.entries(), *gate.shown()["strays"])}) < 200:
        assert host.step()
    assert [each["judgement"] for each in gate.entries()].count("recorded") == 1


def test_every_fault_of_an_unfit_decision_is_named_at_once_and_kept(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, reasonRequired=True)
    names = [f"stranger-{number}" for number in range(50)]
    answer = gate.decide(machines=names)
    assert answer.status == 400
    assert [(each["about"], bool(each["remedy"])) for each in answer.json()["faults"]] == [
        ("comment", True),
        ("machines", True),
    ]
    assert [each["machines"] for each in gate.entries()] == [names[:20]]


def test_the_same_decision_sent_again_under_its_key_is_one_decision(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2)
    key = {"Idempotency-Key": "answer-was-lost"}
    first, again = gate.decide(headers=key), gate.decide(headers=key)
    assert (first.status, again.status) == (200, 200)
    assert first.json() == again.json()
    assert len(gate.entries()) == 1
    assert gate.decide().status == 409


def test_a_lost_answer_can_be_asked_for_again_after_the_gate_has_closed(
    rehearsal: Rehearsal, host: SyncHost
) -> None:
    gate = Gate(rehearsal, host)
    key = {"Idempotency-Key": "answer-was-lost"}
    first = gate.decide(headers=key)
    gate.until_past()
    again = gate.decide(headers=key)
    assert (first.status, again.status) == (200, 200)
    assert first.json() == again.json()


def test_another_decision_under_a_key_that_counts_is_refused(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2)
    key = {"Idempotency-Key": "one"}
    assert gate.decide(headers=key).status == 200
    assert gate.decide(headers=key, decision="stop").status == 409
    assert gate.decide(by=PIA, headers=key).status == 200
    assert [entry["decision"] for entry in gate.entries()] == ["approve", "approve"]


def test_a_decision_that_does_not_count_leaves_its_key_to_one_that_does(
    rehearsal: Rehearsal, host: SyncHost
) -> None:
    gate = Gate(rehearsal, host, quorum=2, reasonRequired=True)
    key = {"Idempotency-Key": "one"}
    assert gate.decide(headers=key).status == 400
    assert gate.decide(headers=key, comment="tested by hand").status == 200
    assert [entry["judgement"] for entry in gate.entries()] == ["unfit", "recorded"]


@pytest.mark.parametrize(
    ("decision", "by", "refused"),
    [
        ({"planHash": "0" * 64}, OLIVE, (409, "stale")),
        ({}, DANA, (403, "notPermitted")),
        ({}, PIA, (403, "notPermitted")),
        ({"machines": ["Somebody"]}, OLIVE, (400, "unfit")),
        ({"breakGlass": True, "comment": "fire"}, OLIVE, (403, "notPermitted")),
    ],
)
def test_what_may_not_count_is_refused_kept_and_changes_nothing(
    rehearsal: Rehearsal, host: SyncHost, decision: dict[str, Any], by: str, refused: tuple[int, str]
) -> None:
    gate = Gate(rehearsal, host, approvers=[OLIVE, DANA])
    acts = rehearsal.posts()
    answer = gate.decide(by, **decision)
    assert (answer.status, answer.json()["judgement"]) == refused
    assert [(each["by"], each["judgement"]) for each in gate.entries()] == [(by, refused[1])]
    for _ in range(5):
        host.step()
    assert rehearsal.posts() == acts
    assert gate.until_asked()["round"] == 1


def test_a_decision_at_another_gate_is_refused_and_kept(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host)
    answer = gate.decide(gate="commit")
    assert answer.status == 409
    assert "it asks at gate failback" in answer.json()["detail"]
    [stray] = gate.strays()
    assert (stray["by"], stray["gate"], stray["judgement"]) == (OLIVE, "commit", "stale")
    assert gate.entries() == []


def test_a_decision_after_the_end_is_gone_and_kept(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host)
    assert gate.decide(decision="stop").status == 200
    host.run_until(gate.run)
    answer = gate.decide(PIA)
    assert (answer.status, answer.json()["judgement"]) == (410, "late")
    assert [(each["by"], each["judgement"]) for each in gate.strays()] == [(PIA, "late")]


@pytest.mark.parametrize(("on_timeout", "days"), [("stop", 0), ("approve", 0), ("hold", 45)])
def test_silence_ends_a_gate_as_its_policy_says(
    rehearsal: Rehearsal, host: SyncHost, on_timeout: str, days: int
) -> None:
    # What silence approves is done; the gate after it stops.
    gate = Gate(rehearsal, host, timeout="PT2H", onTimeout=on_timeout, gates={"commit": {"onTimeout": "stop"}})
    began = rehearsal.clock.now()
    host.run_until(gate.run)
    assert (rehearsal.clock.now() - began).days == days
    answer = host.request("GET", f"/api/failbacks/{gate.run}/report", headers=gate.starter)
    [machine] = answer.json()["machines"]
    assert (machine["outcome"], answer.json()["decisions"]) == ("stopped", [])
    assert "nobody decided in time" in machine["words"]
    assert ("failover" in dict(rehearsal.posts())) is (on_timeout == "approve")
    assert gate.decide().status == 410


@pytest.mark.parametrize("roles", ["viewer", "operator", ""])
def test_the_decision_of_somebody_without_the_role_is_refused_and_kept(
    rehearsal: Rehearsal, host: SyncHost, roles: str
) -> None:
    gate = Gate(rehearsal, host)
    answer = gate.decide(headers={"X-Failback-Roles": roles})
    assert answer.status == 403
    assert [(each["by"], each["judgement"]) for each in gate.strays()] == [(OLIVE, "notPermitted")]
    assert gate.entries() == []


@pytest.mark.parametrize(("roles", "status"), [("breakGlass", 200), ("approver", 403), ("admin", 403)])
def test_only_the_role_of_its_own_breaks_the_glass(
    rehearsal: Rehearsal, host: SyncHost, roles: str, status: int
) -> None:
    gate = Gate(rehearsal, host, quorum=3, breakGlass=True)
    said = {"breakGlass": True, "comment": "the site is on fire"}
    assert gate.decide(headers={"X-Failback-Roles": roles}, **said).status == status


def test_who_may_only_break_the_glass_cannot_decide_like_others(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, breakGlass=True)
    assert gate.decide(headers={"X-Failback-Roles": "breakGlass"}).status == 403


def test_a_second_account_of_the_requester_may_not_approve(rehearsal: Rehearsal) -> None:
    aliases = {**DECLARED, "FAILBACK_ALIASES": json.dumps({"dana-admin@contoso.com": DANA})}
    with rehearsal.host(settings=aliases) as host:
        gate = Gate(rehearsal, host)
        assert gate.decide("Dana-Admin@contoso.com").status == 403
        assert gate.decide(OLIVE).status == 200


def test_a_name_in_the_body_is_nobodys(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host)
    for name in ("by", "byId", "roles", "judgement", "id"):
        said = {"X-Failback-User": PIA}
        answer = host.request("POST", gate.path, json={**gate.body(), name: OLIVE}, headers=said)
        assert answer.status == 400
    assert gate.entries() == []


class Link:
    """A signed link to a gate, followed as a browser does."""

    def __init__(self, gate: Gate, person: str = PIA) -> None:
        bound = {name: gate.asked[name] for name in ("key", "gate", "round")}
        until = gate.rehearsal.clock.now() + timedelta(hours=1)
        token = links.mint(
            people.settings(), person=person, run=gate.run, hash=gate.asked["planHash"], expires=until, **bound
        )
        self.gate, self.path = gate, f"/api/approvals/{token}"
        page = gate.host.request("GET", self.path)
        assert page.status == 200, page.status
        self._hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))

    def answer(self, **chosen: str) -> Any:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        form = urlencode({**self._hidden, "comment": "", **chosen}).encode()
        return self.gate.host.host.request("POST", self.path, body=form, headers=headers)


def test_a_link_is_used_up_by_what_counts_and_by_nothing_else(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2, reasonRequired=True)
    link = Link(gate)
    assert host._run(link.answer(decision="approve")).status == 400
    assert host._run(link.answer(decision="approve", comment="I was there")).status == 200
    assert host._run(link.answer(decision="approve", comment="I was there")).status == 410
    assert [(each["judgement"], each["by"], each["method"]) for each in gate.entries()] == [
        ("unfit", PIA, "link"),
        ("recorded", PIA, "link"),
    ]


def test_a_link_followed_twice_at_one_moment_counts_once(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2)
    link = Link(gate)

    async def both() -> list[Response]:
        return await asyncio.gather(link.answer(decision="approve"), link.answer(decision="stop"))

    answers = host._run(both())
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert [each["judgement"] for each in gate.entries()] == ["recorded"]


def test_the_same_person_by_link_and_by_name_is_one_person(rehearsal: Rehearsal, host: SyncHost) -> None:
    gate = Gate(rehearsal, host, quorum=2)
    assert gate.decide(PIA.upper()).status == 200
    assert host._run(Link(gate).answer(decision="approve")).status == 409
    assert gate.until_asked()["key"] == gate.asked["key"]


class Entra:
    """An installation whose people sign in by Entra, under names that are not their mail addresses."""

    IDS = {"dana": "0d0d0d0d-0000-0000-0000-00000000000d", "pia": "0f0f0f0f-0000-0000-0000-00000000000f"}

    def __init__(self, rehearsal: Rehearsal, **aliases: str) -> None:
        self.tenant, self.rehearsal = Tenant(), rehearsal
        tokens.trust(self.tenant)
        keys = DECLARED["FAILBACK_LINK_KEYS"]
        self.settings = {**SETTINGS, "FAILBACK_LINK_KEYS": keys, "FAILBACK_ALIASES": json.dumps(aliases)}

    def by(self, who: str, *roles: Role) -> dict[str, str]:
        said = {"preferred_username": f"{who}@contoso.onmicrosoft.test", "oid": self.IDS[who]}
        token = self.tenant.token(**said, roles=[role.value for role in roles], groups=["g-ops"])
        return {"Authorization": f"Bearer {token}"}


def too_few(host: SyncHost, starter: dict[str, str], **approvals: Any) -> str:
    body = {"vault": VAULT, "machines": [NAME], "approvals": approvals}
    refused = host.request("POST", "/api/failbacks", json=body, headers=starter)
    assert refused.status == 400
    return str(refused.json()["faults"][0]["about"])


def test_a_mailbox_that_may_be_anybodys_is_no_voice_of_its_own(rehearsal: Rehearsal) -> None:
    entra = Entra(rehearsal)
    with rehearsal.host(settings=entra.settings) as host:
        # Dana asks for the run, and names her own mailbox, and one more that she reads, as the approvers.
        starter = entra.by("dana", Role.OPERATOR)
        gate = Gate(rehearsal, host, starter=starter, approvers=[DANA, PIA], groups=["g-ops"], quorum=2)
        for mailbox in (DANA, PIA):
            with pytest.raises(AssertionError, match="403"):
                Link(gate, mailbox)
        assert gate.entries() == []


def test_who_approves_by_mail_and_by_sign_in_under_other_names_is_one_person(rehearsal: Rehearsal) -> None:
    entra = Entra(rehearsal, **{DANA: Entra.IDS["dana"], PIA: Entra.IDS["pia"]})
    with rehearsal.host(settings=entra.settings) as host:
        starter = entra.by("dana", Role.OPERATOR)
        gate = Gate(rehearsal, host, starter=starter, approvers=[DANA, PIA], groups=["g-ops"], quorum=2)
        # The one who asked is known by her mailbox too, and two names of one person are one.
        assert too_few(host, starter, approvers=[PIA, Entra.IDS["pia"]], quorum=2) == "approvals.quorum"
        assert too_few(host, starter, approvers=[PIA, DANA], quorum=2) == "approvals.quorum"
        assert host._run(Link(gate, DANA).answer(decision="approve")).status == 403
        pia = entra.by("pia", Role.APPROVER)
        assert host._run(Link(gate).answer(decision="approve")).status == 200
        assert host.request("POST", gate.path, json=gate.body(), headers=pia).status == 409
        assert [each["judgement"] for each in gate.entries()] == ["notPermitted", "recorded", "duplicate"]
        assert {each["person"] for each in gate.entries()} == set(Entra.IDS.values())
        assert gate.until_asked()["key"] == gate.asked["key"]


def test_an_approver_who_is_named_by_mail_may_sign_in_under_another_name(rehearsal: Rehearsal) -> None:
    for aliases, status in (({PIA: Entra.IDS["pia"]}, 200), ({}, 403)):
        entra = Entra(rehearsal, **aliases)
        with rehearsal.host(settings=entra.settings) as host:
            gate = Gate(rehearsal, host, starter=entra.by("dana", Role.OPERATOR), approvers=[PIA])
            answer = host.request("POST", gate.path, json=gate.body(), headers=entra.by("pia", Role.APPROVER))
            assert answer.status == status, answer.text
        rehearsal = Rehearsal()


# -- a host that is slow --------------------------------------------------------------------------------------


class Slow:
    """A durable client whose run asks at a gate, but whose ledger is not there yet, or judges nothing."""

    def __init__(self, ledger: Any) -> None:
        self.ledger, self.signals = ledger, list[tuple[str, str]]()

    async def get_status(self, instance_id: str, **_: Any) -> Any:
        shown = {"gate": "failback", "child": f"{instance_id}:1-ask-failback"}
        return SimpleNamespace(
            name="failback", instance_id=instance_id, runtime_status="Running", custom_status=shown, output=None
        )

    async def read_entity_state(self, entity: Any) -> Any:
        known = self.ledger if entity.name == "decision_ledger" else None
        return SimpleNamespace(entity_exists=known is not None, entity_state=known)

    async def signal_entity(self, entity: Any, operation: str, _: Any = None) -> None:
        self.signals.append((entity.name, operation))


def sent_to(client: Any) -> ProblemError:
    caller = Caller(id="olive", name=OLIVE, roles=(Role.APPROVER,), method=Method.DECLARED)
    request = DecisionRequest(gate=GateName.FAILBACK, decision=Choice.STOP, plan_hash="0" * 64)
    with pytest.raises(ProblemError) as refused:
        asyncio.run(decisions.submit(client, "fb-1", caller, request))
    return refused.value


def test_a_gate_that_is_just_being_opened_is_not_decided_on() -> None:
    client = Slow(None)
    problem = sent_to(client)
    assert (problem.status, problem.document["title"]) == (409, "the gate is just being opened")
    assert client.signals == []


def test_a_decision_that_is_not_judged_in_time_is_said_to_be_stored(
    rehearsal: Rehearsal, host: SyncHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "JUDGED_WITHIN", 0.2)
    gate = Gate(rehearsal, host)
    client = Slow(host.entity("decision_ledger", gate.asked["key"]))
    problem = sent_to(client)
    assert (problem.status, problem.document["title"]) == (503, "the decision is stored but not judged yet")
    assert client.signals == [("decision_ledger", "decide")]
