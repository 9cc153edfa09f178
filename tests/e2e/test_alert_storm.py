"""A storm of alerts against the app as it is really served: over HTTP, in a process of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.alerts import served


def test_five_hundred_mixed_alerts_bring_about_exactly_the_proposals_the_routes_say(tmp_path: Path) -> None:
    alerts = served.storm(500)
    with served.served(served.ROUTES, tmp_path / "state.sqlite") as (api, process):
        before = served.processor_seconds(process)
        sent = asyncio.run(served.send(api, alerts))
        after = served.processor_seconds(process)
        ended = asyncio.run(served.until_ended(api))
        runs = asyncio.run(served.read(api, "failbacks"))["runs"]
    heard = Counter(each["data"]["essentials"]["monitoringService"] for each in alerts)
    assert set(sent.statuses) == {202}
    # Whatever else the machine is busy with: each within a second, and a processor can do a hundred in one.
    assert max(sent.took) < 1
    assert before is None or after is None or (after - before) / len(alerts) < 1 / 100
    assert Counter(sent.said)["duplicate"] <= 100
    assert Counter(sent.said)["ignored"] == heard["CostAlerts"]
    assert sorted((each["route"], each["about"]) for each in ended) == [
        ("plans", "custom.plan=db"),
        ("plans", "custom.plan=web"),
        ("recovered", "all"),
    ]
    assert {each["ending"] for each in ended} == {"ran"}
    # The machine is one, so the proposals that come while it is held are refused; none is made twice.
    assert len({each["run"] for each in ended}) == served.PROPOSALS
    assert 1 <= len(runs) <= served.PROPOSALS
    fresh = {each["data"]["essentials"]["alertId"] for each in alerts}
    unheard = {
        each["data"]["essentials"]["alertId"]
        for each in alerts
        if each["data"]["essentials"]["monitoringService"]
        in {"CostAlerts", "Azure Site Recovery", "Activity Log - Administrative"}
    }
    assert sum(each["count"] for each in ended) == len(fresh - unheard)
