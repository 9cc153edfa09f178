"""The dispatcher: takes ready work and does it, one piece at a time by a seed, or many at once as in Azure."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from localhost.activities import Activities
from localhost.app import HostSettings
from localhost.clock import Clock, VirtualClock
from localhost.engine.events import moment, timestamp
from localhost.entities import Entities
from localhost.orchestrations import Orchestrations
from localhost.ready import Piece, ReadyQueue
from localhost.rows import Wake, Work
from localhost.store import Crash, StateError
from localhost.timers import Timers

_LOG = logging.getLogger("localhost")

# How long work rests whose state could not be written (a full disk).
_REST_AFTER_FAULT = 1.0

# So many runs of timer triggers and nothing else mean that nothing else will happen.
_PATIENT_TIMERS = 1000

# A step this short is not worth resting after.
_LONG_STEP = 0.01


class Dispatcher:
    """Does the work of one host."""

    def __init__(
        self,
        clock: Clock,
        settings: HostSettings,
        orchestrations: Orchestrations,
        activities: Activities,
        entities: Entities,
        *,
        timers: Timers,
        seed: int | None,
    ) -> None:
        self.queue = ReadyQueue(seed)
        self._clock = clock
        self._limits = {
            Work.ORCHESTRATION: settings.max_orchestrators,
            Work.ACTIVITY: settings.max_activities,
            Work.ENTITY: settings.max_orchestrators,
            Work.TIMER: settings.max_activities,
        }
        self._running = dict.fromkeys(Work, 0)
        self._orchestrations = orchestrations
        self._activities = activities
        self._entities = entities
        self._timers = timers
        self._timers_in_a_row = 0
        self._awake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_crash: Callable[[Crash], None] = lambda _: None
        self.holds_time: Callable[[], bool] = lambda: False

    def wake(self, wakes: Sequence[Wake]) -> None:
        """Take in what a transaction made ready."""
        self.queue.add(wakes, self._now())
        self._awake.set()

    def _now(self) -> str:
        return timestamp(self._clock.now())

    # --- one at a time ---

    async def step(self, *, may_jump: bool = True, for_timers: bool = True) -> bool:
        """Do one piece of work, or let a virtual clock jump to the next that is due; False when there is none.

        `for_timers` says whether timer triggers are worth a jump. When nothing but timers has run a thousand times
        over, nothing else ever will.
        """
        self.queue.promote(self._now())
        piece = self.queue.take()
        if piece is None:
            return may_jump and self._jump(timers=for_timers and self._timers_in_a_row < _PATIENT_TIMERS)
        self._timers_in_a_row = self._timers_in_a_row + 1 if piece[0] is Work.TIMER else 0
        try:
            await self._do(piece)
        except BaseException:
            self.queue.put_back(piece)
            raise
        self.queue.release(piece)
        return True

    def _jump(self, *, timers: bool = True) -> bool:
        self._forget_the_past()
        due = self.queue.next_due(timers=timers)
        if due is None or not isinstance(self._clock, VirtualClock):
            return False
        self._clock.advance_to(moment(due))
        return True

    def _forget_the_past(self) -> None:
        """Let time not jump to a message that is gone: a timer of an instance, or a generation, that is over."""
        while (first := self.queue.first_later()) is not None:
            due, (work, key) = first
            if work is not Work.ORCHESTRATION or self._orchestrations.is_due(str(key), due):
                return
            self.queue.forget_first()

    async def _do(self, piece: Piece) -> float:
        work, key = piece
        if work is Work.ORCHESTRATION:
            return await self._orchestrations.step(str(key))
        if work is Work.ACTIVITY:
            await self._activities.run(int(key))
        elif work is Work.TIMER:
            await self._timers.run(str(key))
        else:
            await self._entities.run(str(key))
        return 0.0

    # --- many at once ---

    async def run(self) -> None:
        """Do all work there is and will be, until canceled."""
        try:
            while True:
                self._awake.clear()
                self.queue.promote(self._now())
                self._start_all()
                await self._wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_all(self) -> None:
        while True:
            allowed = [work for work in Work if self._running[work] < self._limits[work]]
            piece = self.queue.take(allowed)
            if piece is None:
                return
            self._running[piece[0]] += 1
            task = asyncio.create_task(self._attend(piece))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attend(self, piece: Piece) -> None:
        rest = 0.0
        is_done = False
        try:
            rest = await self._do(piece)
            is_done = True
        except StateError as fault:
            _LOG.error("%s It is tried again.", fault)
            rest = _REST_AFTER_FAULT
        except Crash as crash:
            self.on_crash(crash)
        except Exception:  # noqa: BLE001  the host outlives its own faults
            _LOG.exception("%s %s failed in the host itself; it is tried again.", *piece)
            rest = _REST_AFTER_FAULT
        finally:
            self._running[piece[0]] -= 1
            self._finish(piece, rest, is_done=is_done)

    def _finish(self, piece: Piece, rest: float, *, is_done: bool) -> None:
        """Release a piece, after a rest as long as its step was.

        A step replays the whole history, so an instance with many answers under way gathers them meanwhile: the
        cost of a wide fan-out stays near linear, and no instance takes more than half of the time.
        """
        release = self.queue.release if is_done else self.queue.put_back

        def let_go() -> None:
            release(piece)
            self._awake.set()

        if rest > _LONG_STEP:
            asyncio.get_running_loop().call_later(min(rest, 1.0), let_go)
        else:
            let_go()

    async def _wait(self) -> None:
        if isinstance(self._clock, VirtualClock):
            await self._wait_virtually()
            return
        due = self.queue.next_due()
        pause = None if due is None else max((moment(due) - self._clock.now()) / timedelta(seconds=1), 0.0)
        try:
            await asyncio.wait_for(self._awake.wait(), pause)
        except TimeoutError:
            return

    async def _wait_virtually(self) -> None:
        """Jump when all is quiet: nothing ready, nothing under way, nobody being served.

        Timer triggers run on the way, but time does not pass for them alone: it would pass for ever.
        """
        self._forget_the_past()
        if self.queue.next_due(timers=False) is None or self.queue.is_busy or not self.queue.is_empty:
            await self._awake.wait()
        elif self.holds_time():
            try:
                await asyncio.wait_for(self._awake.wait(), 0.01)
            except TimeoutError:
                return
        else:
            self._jump()
