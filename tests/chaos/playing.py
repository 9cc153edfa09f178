"""One failback under its weather, from the first step to the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from domain.settings import Settings
from gateway.azure import Azure
from localhost import Crash, SyncHost, Transaction
from simulator import Estate, Simulator
from simulator.acts import begin
from simulator.effects import Wish
from simulator.envelopes import Refused, Trace
from simulator.estate import VaultSpec
from simulator.lifecycle import allows
from simulator.transport import SimulatorCredential
from tests.chaos.properties import Played, broken
from tests.chaos.weather import DURATIONS, Weather
from tests.rehearsal import Door, Rehearsal

# Slow looks save steps where a job hangs for half a day; what is short is looked at soon in any case.
SETTINGS: Final = {"FAILBACK_PARALLEL_CALLS": "1", "FAILBACK_LOOK_EVERY": "PT2M"}
# A run that takes more steps, or more time, than this waits for something that never comes.
MOST_STEPS: Final = 20_000
MOST_DEATHS: Final = 12
LONGEST: Final = timedelta(days=90)
WAITS: Final = timedelta(minutes=40)


class Storm(Rehearsal):
    """A rehearsal whose Azure, people and host do what the weather says."""

    def __init__(self, weather: Weather, state: Path) -> None:
        super().__init__(weather.machines, seed=weather.seed, state=str(state))
        self.weather = weather
        vault = VaultSpec(machines=tuple(weather.machines))
        self.simulator = Simulator(
            Estate(vaults=(vault,), durations=DURATIONS), clock=self.clock, seed=weather.seed
        )
        settings = Settings.from_environment(SETTINGS)
        self.azure = Azure.over(settings, SimulatorCredential(self.simulator), Door(self.simulator))
        self.steps = 0
        self.deaths = 0
        self._resumes: Any = None
        self._began = self.clock.now()

    def run_out(self) -> tuple[Played, list[str]]:
        """Play until the run is over, however often the host dies; give what was broken."""
        for fault in self.weather.faults():
            self.fault(**{**fault, "name": fault["name"]})
        while True:
            try:
                with self.host(self._dying()) as host:
                    return self._live(host)
            except Crash:
                self.deaths += 1

    def _dying(self) -> Callable[[Transaction], None]:
        """Kill the host at some transaction, or between the start of a job and its being written down."""
        left, is_committed = self.weather.dies_after(), self.weather.dice.random() < 0.5
        passed, jobs = 0, len(self.simulator.world.jobs)

        def hook(moment: Transaction) -> None:
            nonlocal passed, jobs
            passed += moment.is_committed is is_committed
            begun, jobs = len(self.simulator.world.jobs) - jobs, len(self.simulator.world.jobs)
            if passed == left or (begun and self.deaths < MOST_DEATHS and self.weather.dies_of_a_job()):
                raise Crash("the host was killed")

        return hook

    def _live(self, host: SyncHost) -> tuple[Played, list[str]]:
        if host.status(self.run) is None:
            request = self.request()
            host.start("failback", {**request, **self.weather.request}, instance_id=self.run)
        while not self._finished(host):
            self._meddle(host)
            gate = self._gate(host)
            if gate is not None:
                self._answer(host, gate)
            assert host.step(), "nothing can go on, and the run has not ended"
            self.steps += 1
            assert self.steps < MOST_STEPS, "the run takes too many steps"
            assert self.clock.now() - self._began < LONGEST, "the run takes too long"
        status = host.status(self.run)
        assert status is not None
        assert status.runtime_status == "Completed", status.output
        played = Played(self.weather, self.simulator, self._document(status.output))
        return played, broken(played, host)

    # -- who meddles ------------------------------------------------------------------------------------------

    def _answer(self, host: SyncHost, gate: dict[str, Any]) -> None:
        answer = self.weather.answer(gate)
        if answer is not None:
            # Neither who asked for the run, nor an answer to another question, changes anything.
            self.decide(host, gate, by="dana@contoso.com", **answer)
            self.decide(host, {**gate, "planHash": "0" * 64}, **answer)
            self.decide(host, gate, **answer)
        self.asked.append(gate)

    def _meddle(self, host: SyncHost) -> None:
        click = self.weather.click()
        if click is not None:
            self._click(*click)
        steer = self.weather.steer()
        if steer == "pause" and self._resumes is None:
            self._resumes = self.clock.now() + WAITS
            self._steer(host, "pause")
        elif steer == "cancel":
            self._steer(host, "cancel")
        if self._resumes is not None and self.clock.now() >= self._resumes:
            self._resumes = None
            self._steer(host, "resume")

    def _steer(self, host: SyncHost, how: str) -> None:
        headers = {"X-Failback-User": "olive@contoso.com"}
        host.request("POST", f"/api/failbacks/{self.run}/{how}", json={"reason": "chaos"}, headers=headers)

    def _click(self, name: str, act: Any) -> None:
        world = self.simulator.world
        item = next((each for each in world.items.values() if each.name == name), None)
        if item is None or item.holder is not None or not allows(item.state, act):
            return
        trace = Trace(client_request_id=world.ids.fresh("portal"), correlation_id=world.ids.fresh("correlation"))
        with suppress(Refused):
            begin(world, item, act, Wish(), trace)
            self.weather.clicked.add(name)


def play(seed: int, state: Path) -> list[str]:
    """Play one seed; name every property that was broken."""
    _, found = Storm(Weather(seed), state).run_out()
    return found
