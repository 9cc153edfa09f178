"""What befalls one failback, drawn by chance: estate, request, faults, clicks, people, and the host's deaths."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.estate import Act, Durations, MachineSpec, Spread

ISOLATED: Final = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-app"
    "/providers/Microsoft.Network/virtualNetworks/isolated"
)
NAMES: Final = ("Web", "Db", "App")
# Where machines stand when a run begins; most of them are ready to come home.
READY: Final = "protected-in-reverse"
STATES: Final = (
    *[READY] * 8,
    "syncing-in-reverse",
    "away",
    "home-uncommitted",
    "committed-in-reverse",
    "test-failover-waiting-in-reverse",
)
# Short jobs end between two looks or after a few; a run of minutes is as good as one of hours to break.
SHORT: Final = Spread(least=2, most=40)
DURATIONS: Final = Durations(
    **dict.fromkeys(
        (
            "test_failover",
            "test_failover_cleanup",
            "failover",
            "failover_without_shutdown",
            "change_recovery_point",
            "commit",
            "reprotect",
            "agent_delay",
            "initial_replication",
        ),
        SHORT,
    )
)
_CALLS: Final = (
    {"name": "throttled", "share": 0.2, "seconds": 600, "times": None},
    {"name": "throttled", "share": 0.5, "seconds": 60, "times": None, "retryAfter": 0},
    {"name": "server-error", "share": 0.2, "seconds": 600, "times": None},
    {"name": "unavailable", "share": 0.3, "seconds": 300, "times": None},
    {"name": "connection-closed", "share": 0.3, "seconds": 300, "times": None},
    {"name": "connection-closed", "method": "POST", "times": 2},
    {"name": "lost-answer", "method": "POST", "times": 2},
    {"name": "lost-answer", "share": 0.2, "seconds": 300, "times": None},
    {"name": "error-after-accepted", "method": "POST", "times": 2},
    {"name": "token-expired", "times": 1},
    {"name": "authorization-failed", "times": 2},
    {"name": "not-found", "path": "/replicationProtectedItems/", "times": 1},
    {"name": "not-found", "path": "/replicationJobs/", "times": 1},
    {"name": "stale-list", "seconds": 90, "times": None},
    {"name": "scope-locked", "method": "POST", "times": 1},
)
_JOBS: Final = (
    "job-fails",
    "job-cancelled",
    "job-warns",
    "job-hangs",
    "source-will-not-shut-down",
    "commit-refused",
    "disk-left-behind",
    "region-out-of-capacity",
    "no-heartbeat",
    "item-disappears",
)
_ACTS: Final = ("testFailover", "testFailoverCleanup", "failover", "commit", "reprotect")
CLICKS: Final = (
    Act.TEST_FAILOVER,
    Act.TEST_FAILOVER_CLEANUP,
    Act.FAILOVER,
    Act.CHANGE_RECOVERY_POINT,
    Act.COMMIT,
    Act.REPROTECT,
)
POINTS: Final = ("latest", "latest", "latestProcessed", "latestCrashConsistent")
# People answer so many questions of one run; then they stop whatever is asked.
PATIENCE: Final = 10


@dataclass(slots=True)
class Weather:
    """Everything that befalls the run of one seed; what happens when is drawn as the run goes on."""

    seed: int
    dice: random.Random = field(init=False)
    machines: list[MachineSpec] = field(init=False)
    request: dict[str, Any] = field(init=False)
    clicked: set[str] = field(default_factory=set[str])
    answers: int = 0

    def __post_init__(self) -> None:
        """Draw what is known before the run begins."""
        self.dice = random.Random(self.seed)
        names = self.dice.sample(NAMES, self.dice.choice((1, 1, 1, 2, 3)))
        self.request = self._request(names)
        fitting = [state for state in STATES if self._fits(state)]
        self.machines = [
            MachineSpec.model_validate({"name": name, "state": self.dice.choice(fitting)}) for name in names
        ]

    def _request(self, names: Sequence[str]) -> dict[str, Any]:
        dice = self.dice
        groups, is_drill = dice.random() < 0.3, dice.random() < 0.15
        return {
            "machines": [
                {"name": name, "group": number if groups else 1} for number, name in enumerate(names, start=1)
            ],
            "mode": "drill" if is_drill else "failback",
            "recoveryPoint": {
                "select": dice.choice(("latest", "latest", "latestProcessed", "latestCrashConsistent"))
            },
            "testFailover": {"enabled": is_drill or dice.random() < 0.6, "networkId": ISOLATED},
            "prepare": {"reprotect": True, "cleanUp": True},
            "shutDownSource": dice.random() < 0.7,
            "reprotect": {"enabled": dice.random() < 0.8},
            "validation": {"heartbeat": dice.random() < 0.3, "timeout": "PT5M"},
            "approvals": {
                "timeout": dice.choice(("PT2H", "P1D")),
                "onTimeout": dice.choice(("stop", "stop", "approve")),
            },
        }

    def _fits(self, state: str) -> bool:
        """Tell whether a run may begin with a machine in this state; what is refused breaks no promise."""
        if self.request["mode"] == "drill":
            return state == READY
        return self.request["reprotect"]["enabled"] or state != "committed-in-reverse"

    def faults(self) -> list[Mapping[str, Any]]:
        """Draw the faults that are on from the beginning: none, or a few."""
        dice = self.dice
        drawn: list[Mapping[str, Any]] = []
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            if dice.random() < 0.6:
                drawn.append({**dice.choice(_CALLS), "after": dice.randrange(60)})
            else:
                drawn.append(self._of_a_job(dice.choice(_JOBS)))
        return drawn

    def _of_a_job(self, name: str) -> Mapping[str, Any]:
        if name == "item-disappears":
            return {
                "name": name,
                "method": "GET",
                "path": "/replicationProtectedItems/",
                "after": self.dice.randrange(40),
            }
        return (
            {"name": name, "act": self.dice.choice(_ACTS)}
            if name in {"job-fails", "job-cancelled"}
            else {"name": name}
        )

    def dies_after(self) -> int:
        """Draw after how many transactions the host dies next; mostly it never does."""
        return self.dice.randrange(1, 250) if self.dice.random() < 0.7 else 10**9

    def dies_of_a_job(self) -> bool:
        """Draw whether the host dies just after a job began, before that is written down."""
        return self.dice.random() < 0.2

    def click(self) -> tuple[str, Act] | None:
        """Draw whether somebody clicks in the portal now, and on what."""
        if self.dice.random() >= 0.004:
            return None
        name = self.dice.choice(self.machines).name
        return name, self.dice.choice(CLICKS)

    def steer(self) -> str | None:
        """Draw whether somebody holds or ends the run now."""
        chance = self.dice.random()
        return "cancel" if chance < 0.0005 else "pause" if chance < 0.001 else None

    def answer(self, gate: Mapping[str, Any]) -> dict[str, Any] | None:
        """Draw what people say at a gate; nothing is an answer, too."""
        self.answers += 1
        if self.answers > PATIENCE:
            return {"decision": "stop"}
        chance = self.dice.random()
        if gate["gate"] == "intervention":
            return {"decision": "retry" if chance < 0.5 else "skip" if chance < 0.6 else "stop"}
        if chance < 0.05:
            return None
        names = list(gate["machines"])
        some = (
            {"machines": self.dice.sample(names, self.dice.randrange(1, len(names) + 1))} if chance < 0.2 else {}
        )
        if chance < 0.85:
            return {"decision": "approve", **some}
        if chance < 0.92 or gate["gate"] == "start":
            return {"decision": "stop", **some}
        point = {"select": self.dice.choice(("latest", "latestProcessed"))}
        return {"decision": "changeRecoveryPoint", "recoveryPoints": {self.dice.choice(names): point}}
