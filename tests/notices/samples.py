"""The payloads that docs/notices.md shows, made by the code that sends them.

`python -m tests.notices.samples` writes them into the page; a test fails where the page shows others.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain import telling
from domain.approvals import ApprovalPolicy, GateName
from domain.gate import OFFERS, Question
from domain.notices import Notice
from gateway.notices import mail, slack, teams, webhook

PAGE: Final = Path(__file__).parents[2] / "docs/notices.md"
NIGHT: Final = datetime(2026, 11, 20, 2, 41, tzinfo=UTC)
LINK: Final = "https://failback.contoso.com/api/ui/failbacks/fb-7d21"
KEY: Final = b"a key that is only on this page."
_WIDTH: Final = 110
_BLOCK: Final = re.compile(r"(<!-- sample: (\w+) -->\n```json\n).*?(\n```)", re.DOTALL)


def told() -> Notice:
    """Give the notice of a gate, as it would be told on such a night."""
    row = {
        "name": "ContosoWin2016",
        "from": "eastus",
        "to": "centralus",
        "state": "in eastus, a test failover waits for clean-up",
        "rehearsal": {"verdict": "passed"},
        "point": {"time": "2026-11-20T02:34:00+00:00"},
    }
    notes = [
        "approve: the rehearsal is cleaned up, the machine fails over to its home region",
        "stop: the rehearsal is cleaned up and the machine stays where it is",
    ]
    question = Question(
        gate=GateName.FAILBACK,
        round=1,
        run="fb-7d21",
        plan_hash="5e" * 32,
        machines=("ContosoWin2016",),
        shown={"machines": [row], "notes": notes},
        policy=ApprovalPolicy(approvers=("lee@contoso.com", "olive@contoso.com"), quorum=2),
        offers=OFFERS[GateName.FAILBACK],
        requested_by="dana@contoso.com",
        asked_at=NIGHT,
        deadline=NIGHT + timedelta(hours=4),
    )
    return telling.gate_opened(question, "fb-7d21:2-ask-failback")


def samples() -> dict[str, Any]:
    """Make a payload of each kind."""
    notice = told()
    body, headers = webhook.signed(webhook.event(notice, LINK), (KEY,), NIGHT)
    letter = mail.message(notice, "failback@contoso.com", "lee@contoso.com", f"{LINK[:28]}/api/approvals/TOKEN")
    return {
        "teams": json.loads(teams.message(notice, LINK)),
        "slack": json.loads(slack.message(notice, LINK)),
        "webhook": json.loads(body),
        "headers": headers,
        "mail": letter,
    }


def filled(text: str) -> str:
    """Put the samples where the page has their marks."""
    made = samples()
    return _BLOCK.sub(lambda found: f"{found[1]}{_written(made[found[2]])}{found[3]}", text)


def _written(value: Any, depth: int = 0) -> str:
    """Write JSON with what is short on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(line) + depth < _WIDTH:
        return line
    inner = " " * (depth + 2)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {_written(each, depth + 2)}" for name, each in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(inner + _written(each, depth + 2) for each in value) + "\n" + " " * depth + "]"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
