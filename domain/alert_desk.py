"""What a route remembers of its alerts: storms, what was said last of each subject, and what is proposed.

A storm begins with the first alert that opens it and has one proposal, however many alerts follow. Alerts come
at least once and in any order, so each delivery counts once, and of each subject only the youngest word counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from domain.alert_routes import Part
from domain.wire import Answer, digest

# The desk is read and written whole with every alert.
_KNOWN: Final = 1_000
_WORDS: Final = 600
# Bad news that stands is kept beyond that, for forgetting it would let a proposal go.
_TROUBLES: Final = 1_200
_STORMS: Final = 50
_NOTES: Final = 20
_NAMED: Final = 20
Each = TypeVar("Each")


class Timing(Answer):
    """How long a route waits for what; frozen when the alert comes in."""

    hold_down: timedelta
    stable_for: timedelta
    give_up_after: timedelta
    cool_down: timedelta


class Hit(Answer):
    """One delivery of an alert on the desk of one route.

    `key` names the delivery, `alert` is Azure's id; `at` is when it happened, where it says so.
    """

    key: str
    alert: str
    storm: str
    part: Part
    subject: str
    at: datetime | None = None
    # Whether the bad news stays bad until it is taken back; what never recovers only begins the calm anew.
    lasting: bool = False
    # Whether nothing of the same moment can be younger: a resolution may bear the time at which its alert fired.
    final: bool = False
    words: str
    timing: Timing
    # Only a route that proposes has storms; the others take note.
    proposes: bool = True


class Verdict(StrEnum):
    """What became of an alert on the desk."""

    OPENED = "opened"
    JOINED = "joined"
    UNSETTLED = "unsettled"
    SETTLED = "settled"
    TAKEN_BACK = "takenBack"
    DUPLICATE = "duplicate"
    OUTDATED = "outdated"
    COOLING_DOWN = "coolingDown"
    CROWDED = "crowded"
    NOTED = "noted"


class Heard(Answer):
    """What became of an alert, whether it begins a proposal, and which run it withdraws."""

    verdict: Verdict
    leads: bool = False
    withdraws: str | None = None
    words: str = ""


class Ending(StrEnum):
    """How a storm ended."""

    TAKEN_BACK = "takenBack"
    NEVER_CALM = "neverCalm"
    NOTHING_TO_DO = "nothingToDo"
    WITHDRAWN = "withdrawn"
    RAN = "ran"
    BROKE = "broke"


class Word(Answer):
    """The last that was said of one subject; `heard` is when it came in."""

    storm: str
    part: Part
    at: datetime
    heard: datetime
    lasting: bool = False
    # What old desks hold is not known to be final.
    final: bool = False


class Storm(Answer):
    """Alerts that are one matter. `id` is the delivery that opened it; `calm` is when it was last unsettled."""

    id: str
    opened: datetime
    calm: datetime
    timing: Timing
    count: int = 1
    # The subjects that still stand for the proposal; and the first of the alerts, for people.
    standing: int = 1
    alerts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    round: int = 0
    run: str | None = None
    withdrawn: str | None = None
    # It was opened anew after its proposal was withdrawn, and before that run had ended.
    again: bool = False
    ending: Ending | None = None
    ended: datetime | None = None
    # How the run said it ended, for people.
    outcome: str = ""


class Note(Answer):
    """One alert as people may read it later."""

    at: datetime
    verdict: Verdict
    words: str


class Desk(Answer):
    """Everything that a route remembers."""

    known: tuple[str, ...] = ()
    said: dict[str, Word] = {}
    storms: dict[str, Storm] = {}
    notes: tuple[Note, ...] = ()

    def troubles(self, storm: str, now: datetime) -> int:
        """Count the lasting bad news of a storm that was not taken back."""
        timing = self.storms[storm].timing
        return sum(
            word.storm == storm
            and word.part is Part.UNSETTLES
            and word.lasting
            and now - word.heard < timing.give_up_after
            for word in self.said.values()
        )


# -- taking alerts --------------------------------------------------------------------------------------------


def take(desk: Desk, hit: Hit, now: datetime) -> tuple[Desk, Heard]:
    """Take one alert; taking it twice changes nothing."""
    storm = desk.storms.get(hit.storm)
    if hit.key in desk.known:
        leads = storm is not None and storm.id == hit.key and storm.ending is None
        return desk, Heard(verdict=Verdict.DUPLICATE, leads=leads)
    known = _last((*desk.known, hit.key), _KNOWN)
    taken, heard = _taken(desk.having(known=known), hit, now)
    note = Note(at=now, verdict=heard.verdict, words=hit.words)
    return taken.having(notes=_last((*desk.notes, note), _NOTES)), heard


def _taken(desk: Desk, hit: Hit, now: datetime) -> tuple[Desk, Heard]:
    if not hit.proposes:
        return desk, Heard(verdict=Verdict.NOTED)
    subject = digest([hit.storm, hit.subject])[:16]
    before, at = desk.said.get(subject), min(hit.at or now, now)
    if before is not None and (before.at, before.final) > (at, hit.final):
        return desk, Heard(verdict=Verdict.OUTDATED, words="something younger was said of it")
    word = Word(storm=hit.storm, part=hit.part, at=at, heard=now, lasting=hit.lasting, final=hit.final)
    said = {**{name: each for name, each in desk.said.items() if name != subject}, subject: word}
    desk = desk.having(said=_kept(said))
    storm = desk.storms.get(hit.storm)
    if storm is None or storm.ending is not None:
        return _begun(desk, storm, hit, now)
    changed, heard = _went_on(storm, before, hit, now)
    return _put(desk, hit.storm, changed), heard


def _kept(said: dict[str, Word]) -> dict[str, Word]:
    """Forget what was said first of too many words, bad news that stands last of all."""
    stands = {name for name, word in said.items() if word.part is Part.UNSETTLES and word.lasting}
    spare = max(len(said) - _WORDS, 0)
    gone = {name for name, _ in zip((name for name in said if name not in stands), range(spare), strict=False)}
    return dict(_last(tuple(each for each in said.items() if each[0] not in gone), _TROUBLES))


def _begun(desk: Desk, over: Storm | None, hit: Hit, now: datetime) -> tuple[Desk, Heard]:
    """Begin a storm, unless the alert cannot, or the last one has only just ended."""
    if hit.part is not Part.OPENS:
        return desk, Heard(verdict=_ASIDE[hit.part])
    if over is not None and _is_cooling_down(over, now):
        return desk, Heard(verdict=Verdict.COOLING_DOWN, words=f"the same matter ended as {over.ending}")
    if sum(each.ending is None for each in desk.storms.values()) >= _STORMS:
        return desk, Heard(verdict=Verdict.CROWDED, words=f"{_STORMS} other matters go on already")
    storm = Storm(id=hit.key, opened=now, calm=now, timing=hit.timing, alerts=(hit.alert,), words=(hit.words,))
    return _put(desk, hit.storm, storm), Heard(verdict=Verdict.OPENED, leads=True)


def _is_cooling_down(over: Storm, now: datetime) -> bool:
    """Tell whether a storm that ended still stands for the alerts that come after it.

    One that was taken back decided nothing: what comes then is a new matter.
    """
    decided = over.ending not in {Ending.TAKEN_BACK, Ending.WITHDRAWN}
    return decided and over.ended is not None and now - over.ended < over.timing.cool_down


def _went_on(storm: Storm, before: Word | None, hit: Hit, now: datetime) -> tuple[Storm, Heard]:
    """Let an alert change a storm that goes on."""
    stood = before is not None and before.part is Part.OPENS
    if hit.part is Part.OPENS:
        return _joined(storm, hit, now, stood=stood, cleared=before is not None and not stood)
    if hit.part is Part.SETTLES:
        return storm.having(calm=now), Heard(verdict=Verdict.SETTLED)
    standing = storm.standing - stood
    if hit.part is Part.UNSETTLES:
        storm = storm.having(standing=standing, calm=now)
        return _withdrawn(storm, Verdict.UNSETTLED, f"not calm any more: {hit.words}")
    storm = storm.having(standing=standing)
    if standing > 0:
        return storm, Heard(verdict=Verdict.TAKEN_BACK)
    if storm.run is None:
        return storm.having(ending=Ending.TAKEN_BACK, ended=now), Heard(verdict=Verdict.TAKEN_BACK)
    return _withdrawn(storm, Verdict.TAKEN_BACK, f"taken back: {hit.words}")


def _joined(storm: Storm, hit: Hit, now: datetime, *, stood: bool, cleared: bool) -> tuple[Storm, Heard]:
    storm = storm.having(
        count=storm.count + 1,
        standing=storm.standing + (not stood),
        alerts=(*storm.alerts, hit.alert)[:_NAMED],
        words=(*storm.words, hit.words)[:_NAMED],
        calm=now if cleared else storm.calm,
        again=storm.withdrawn is not None,
    )
    return storm, Heard(verdict=Verdict.JOINED)


def _withdrawn(storm: Storm, verdict: Verdict, why: str) -> tuple[Storm, Heard]:
    """Withdraw the run that is proposed, if one is."""
    if storm.run is None:
        return storm, Heard(verdict=verdict)
    return storm.having(withdrawn=why, again=False), Heard(verdict=verdict, withdraws=storm.run, words=why)


# -- proposing ------------------------------------------------------------------------------------------------


class Move(StrEnum):
    """What a proposal does next."""

    WAIT = "wait"
    GO = "go"
    OVER = "over"


class Next(Answer):
    """What a proposal does next, until when it waits at the most, and what it may say."""

    move: Move
    until: datetime | None = None
    words: str = ""
    count: int = 0
    alerts: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def ready(desk: Desk, name: str, storm_id: str, now: datetime) -> tuple[Desk, Next]:
    """Say whether a storm's proposal may be made now."""
    storm = desk.storms.get(name)
    if storm is None or storm.id != storm_id or storm.ending is not None:
        return desk, Next(move=Move.OVER, words="it was taken back")
    if now - storm.opened >= storm.timing.give_up_after:
        ended = storm.having(ending=Ending.NEVER_CALM, ended=now)
        return _put(desk, name, ended), Next(move=Move.OVER, words="it was never calm for long enough")
    if troubles := desk.troubles(name, now):
        return desk, Next(move=Move.WAIT, words=f"bad news of {troubles} not taken back yet")
    if storm.standing <= 0:
        return desk, Next(move=Move.WAIT, words="waiting for good news")
    due = max(storm.opened + storm.timing.hold_down, storm.calm + storm.timing.stable_for)
    if now < due:
        return desk, Next(move=Move.WAIT, until=due, words=f"waiting for calm until {due:%F %TZ}")
    return desk, Next(move=Move.GO, count=storm.count, alerts=storm.alerts, told=storm.words)


def propose(desk: Desk, name: str, storm_id: str, run: str, now: datetime) -> tuple[Desk, Next]:
    """Tie a run to a storm, if its proposal may still be made; from here on, bad news withdraws that run."""
    desk, found = ready(desk, name, storm_id, now)
    if found.move is not Move.GO:
        return desk, found
    return _put(desk, name, desk.storms[name].having(run=run)), found


def close(
    desk: Desk, name: str, storm_id: str, ending: Ending, now: datetime, *, outcome: str = ""
) -> tuple[Desk, bool]:
    """End a storm, and say whether it begins anew because there was good news after a withdrawal."""
    storm = desk.storms.get(name)
    if storm is None or storm.id != storm_id or storm.ending is not None:
        return desk, False
    if ending is Ending.WITHDRAWN and storm.again:
        anew = storm.having(opened=now, calm=now, round=storm.round + 1, run=None, withdrawn=None, again=False)
        return _put(desk, name, anew), True
    return _put(desk, name, storm.having(ending=ending, ended=now, outcome=outcome)), False


_ASIDE: Final = {
    Part.UNSETTLES: Verdict.UNSETTLED,
    Part.SETTLES: Verdict.SETTLED,
    Part.TAKES_BACK: Verdict.TAKEN_BACK,
}


def _put(desk: Desk, name: str, storm: Storm) -> Desk:
    """Keep a storm as the youngest; of too many, those that ended first are forgotten."""
    storms = {**{each: kept for each, kept in desk.storms.items() if each != name}, name: storm}
    spare = len(storms) - _STORMS
    if spare > 0:
        over = [each for each, kept in storms.items() if kept.ending is not None][:spare]
        storms = {each: kept for each, kept in storms.items() if each not in over}
    return desk.having(storms=storms)


def _last(values: tuple[Each, ...], most: int) -> tuple[Each, ...]:
    return values[-most:]
