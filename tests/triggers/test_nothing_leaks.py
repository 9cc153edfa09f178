"""Secrets stay where they are set: nothing the app answers, logs, stores or sends to Azure holds one."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from identity import csrf, links, tokens
from localhost import Response, SyncHost
from tests.identity.entra import SETTINGS, Tenant
from tests.rehearsal import NAME, VAULT, Rehearsal
from triggers import people
from triggers.routes import ROUTES

PLANTED = {
    "link key": "planted-link-key-" + "n" * 30,
    "older link key": "planted-older-link-key-" + "o" * 30,
    "webhook": "planted-in-the-webhooks-address",
    "teams": "planted-in-the-teams-address",
    "slack": "planted-in-the-slack-address",
    "webhook key": base64.b64encode(b"planted-webhook-key-of-32-bytes!").decode(),
}
SYSTEM_KEY = "planted-system-key-of-the-host"
SECRETIVE = {
    **SETTINGS,
    "WEBSITE_SITE_NAME": "failback",
    "WEBSITE_HOSTNAME": "failback.contoso.test",
    "FAILBACK_ALIASES": '{"pia@contoso.com": "0f0f0f0f-0000-0000-0000-00000000000f"}',
    "FAILBACK_LINK_KEYS": f"{PLANTED['link key']},{PLANTED['older link key']}",
    # Nobody listens there: each delivery fails, and the failure is told.
    "FAILBACK_WEBHOOK": f"http://127.0.0.1:1/hook?sig={PLANTED['webhook']}",
    "FAILBACK_TEAMS_WEBHOOK": f"http://127.0.0.1:1/invoke?sig={PLANTED['teams']}",
    "FAILBACK_SLACK_WEBHOOK": f"http://127.0.0.1:1/services/{PLANTED['slack']}",
    "FAILBACK_WEBHOOK_KEYS": f"whsec_{PLANTED['webhook key']}",
}


class Walk:
    """One run from its start to its report, by people with tokens and by a link; every answer is kept."""

    def __init__(self, rehearsal: Rehearsal, host: SyncHost, tenant: Tenant) -> None:
        self.rehearsal, self.host, self.tenant = rehearsal, host, tenant
        self.answers: list[Response] = []
        self.tokens: list[str] = []

    def ask(self, method: str, path: str, by: str, body: Any = None, **headers: str) -> Response:
        roles = [f"Failback.{role}" for role in ("Operator", "Approver", "Viewer")]
        token = self.tenant.token(preferred_username=by, oid=by, roles=roles)
        self.tokens.append(token)
        headers = {"Authorization": f"Bearer {token}", "x-functions-key": "planted-function-key", **headers}
        answer = self.host.request(method, f"/api/{path}?code=planted-code", json=body, headers=headers)
        self.answers.append(answer)
        return answer

    def until_asked(self, run: str, gate: str) -> dict[str, Any]:
        while True:
            shown = self.ask("GET", f"failbacks/{run}", "dana@contoso.com").json()
            found = next((each for each in shown["gates"] if each["gate"] == gate), None)
            if found is not None:
                return dict(found)
            for _ in range(20):
                assert self.host.step()

    def walk(self) -> str:
        body = {"vault": VAULT, "machines": [NAME]}
        run = str(self.ask("POST", "failbacks", "dana@contoso.com", body).json()["id"])
        gate = self.until_asked(run, "failback")
        decision = {"gate": "failback", "decision": "approve", "planHash": gate["planHash"]}
        for by in ("dana@contoso.com", "olive@contoso.com", "olive@contoso.com"):
            self.ask("POST", f"failbacks/{run}/decisions", by, decision)
        self.by_link(run, self.until_asked(run, "commit"))
        self.host.run_until(run, within=timedelta(days=3))
        for route in ROUTES:
            path = route.path.replace("{id}", run).replace("{token}", "forged")
            self.ask(route.method, path, "olive@contoso.com", {} if route.method == "POST" else None)
        return run

    def by_link(self, run: str, gate: dict[str, Any]) -> None:
        settings = people.Settings.from_environment(SECRETIVE)
        bound = {name: gate[name] for name in ("key", "gate", "round")}
        until = self.rehearsal.clock.now() + timedelta(hours=1)
        token = links.mint(
            settings, person="pia@contoso.com", run=run, hash=gate["planHash"], expires=until, **bound
        )
        self.tokens.append(token)
        page = self.host.request("GET", f"/api/approvals/{token}")
        assert page.status == 200
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        form = "&".join(f"{name}={value}" for name, value in {**hidden, "decision": "approve"}.items())
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        done = self.host.request("POST", f"/api/approvals/{token}", body=form.encode(), headers=headers)
        assert done.status == 200
        # The page itself is for whoever holds the link: it may hold the form's token, and no other secret.
        self.answers.append(done)


class Log(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@pytest.fixture
def log() -> Iterator[Log]:
    log, root = Log(), logging.getLogger()
    before = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    yield log
    root.removeHandler(log)
    root.setLevel(before)


def test_nothing_that_was_written_holds_a_secret_or_leads_to_the_hosts_own_api(tmp_path: Path, log: Log) -> None:
    tenant = Tenant()
    tokens.trust(tenant)
    rehearsal = Rehearsal(state=str(tmp_path / "state.sqlite"))
    served = rehearsal.host(settings=SECRETIVE)
    served.host._key = SYSTEM_KEY
    with served as host:
        walk = Walk(rehearsal, host, tenant)
        run = walk.walk()
        places = {
            "state": "".join(file.read_bytes().decode("utf-8", "replace") for file in tmp_path.iterdir()),
            "report": walk.ask("GET", f"failbacks/{run}/report", "dana@contoso.com").text,
            "calls": "".join(str(call) for call in rehearsal.simulator.journal.calls),
            "answers": "".join(f"{answer.headers}{answer.text}" for answer in walk.answers),
            "log": "\n".join(log.lines),
        }
        assert SYSTEM_KEY in json.dumps(host.host._links().management(run))
    # The search is worth something: it finds what is there.
    assert len(walk.answers) > len(ROUTES)
    assert all("olive@contoso.com" in places[place] for place in ("answers", "state", "report"))
    assert "pia@contoso.com" in places["report"]
    assert all(NAME in places[place] for place in ("calls", "log"))

    secrets = {**PLANTED, "code": "planted-code", "function key": "planted-function-key", "system key": SYSTEM_KEY}
    secrets |= {f"token {number}": token for number, token in enumerate(walk.tokens)}
    assert [
        (name, place) for name, secret in secrets.items() for place, text in places.items() if secret in text
    ] == []
    for told in ("runtime/webhooks", "durabletask", "taskHub=", "code="):
        assert told not in places["answers"], told
        assert told not in places["report"], told


def test_an_event_alone_decides_nothing_whatever_it_says() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        headers = {"X-Failback-User": "dana@contoso.com"}
        body = {"vault": VAULT, "machines": [NAME]}
        run = host.request("POST", "/api/failbacks", json=body, headers=headers).json()["id"]
        while not (gates := host.request("GET", f"/api/failbacks/{run}", headers=headers).json()["gates"]):
            assert host.step()
        key = gates[0]["key"]
        while not (listened := listening(host, key)):
            assert host.step()
        said = {"decision": "approve", "by": "olive@contoso.com", "settled": True, "approved": True}
        for event in (listened, "decided-0-1", "approve", "commit", "cancel"):
            host.raise_event(key, event, said)
            host.raise_event(run, event, said)
        for _ in range(10):
            host.step()
        after = host.request("GET", f"/api/failbacks/{run}", headers=headers).json()
        assert [(gate["key"], gate["decisions"]) for gate in after["gates"]] == [(key, [])]
        assert ("failover", NAME) not in rehearsal.posts()


def listening(host: SyncHost, key: str) -> str | None:
    status = host.status(key)
    shown = json.loads(str(status.custom_status)) if status and isinstance(status.custom_status, str) else {}
    return (shown or (status.custom_status if status else None) or {}).get("listen")


def test_a_form_token_is_not_the_link_and_not_the_key() -> None:
    settings = people.Settings.from_environment(SECRETIVE)
    caller = people.Caller(id="olive", name="olive", method="link")
    token = csrf.issue(settings, caller, "fb-1")
    assert PLANTED["link key"] not in base64.urlsafe_b64decode(token.partition(".")[0] + "===").decode(
        "utf-8", "replace"
    )
