"""Which work is ready: found without scanning, in order of arrival or as a seed chooses."""

import heapq
import random
from collections.abc import Collection, Sequence

from localhost.rows import Wake, Work

Piece = tuple[Work, str | int]


class ReadyQueue:
    """Work that is ready, each piece once, and work that will be when its time comes.

    A piece that is taken is busy until released: what arrives for it meanwhile makes it ready again then, so an
    instance never runs twice at once.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed) if seed is not None else None  # noqa: S311  repeatable on purpose
        self._ready: dict[Piece, None] = {}
        self._order: list[Piece] = []
        self._later: list[tuple[str, int, Piece]] = []
        self._timers: list[tuple[str, int, Piece]] = []
        self._arrivals = 0
        self._busy: set[Piece] = set()
        self._again: set[Piece] = set()

    def add(self, wakes: Sequence[Wake], now: str) -> None:
        """Take in what a transaction made ready, now or later."""
        for wake in wakes:
            piece = (wake.work, wake.key)
            if wake.due <= now:
                self._make_ready(piece)
            else:
                self._arrivals += 1
                later = self._timers if wake.work is Work.TIMER else self._later
                heapq.heappush(later, (wake.due, self._arrivals, piece))

    def promote(self, now: str) -> None:
        """Make ready what has come due."""
        for later in (self._later, self._timers):
            while later and later[0][0] <= now:
                self._make_ready(heapq.heappop(later)[2])

    def forget_first(self) -> None:
        """Forget the next piece that is due later; timer triggers are not meant."""
        heapq.heappop(self._later)

    def first_later(self) -> tuple[str, Piece] | None:
        """Answer the next piece that is due later, and when; timer triggers are not meant."""
        return (self._later[0][0], self._later[0][2]) if self._later else None

    def next_due(self, *, timers: bool = True) -> str | None:
        """Answer when the next piece of work comes due, with or without timer triggers, which never end."""
        heaps = (self._later, self._timers) if timers else (self._later,)
        return min((later[0][0] for later in heaps if later), default=None)

    def take(self, works: Collection[Work] = tuple(Work)) -> Piece | None:
        """Take one ready piece of these kinds; it is busy until released."""
        piece = self._first(works) if self._random is None else self._any()
        if piece is not None:
            self._busy.add(piece)
        return piece

    def release(self, piece: Piece) -> None:
        """Say that a piece is done with."""
        self._busy.discard(piece)
        if piece in self._again:
            self._again.discard(piece)
            self._make_ready(piece)

    def put_back(self, piece: Piece) -> None:
        """Say that a piece could not be done, and is to be tried again."""
        self._again.add(piece)
        self.release(piece)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is ready now."""
        return not self._order if self._random is not None else not self._ready

    @property
    def is_busy(self) -> bool:
        """Whether something that was taken is not done yet."""
        return bool(self._busy)

    def _make_ready(self, piece: Piece) -> None:
        if piece in self._busy:
            self._again.add(piece)
        elif piece not in self._ready:
            self._ready[piece] = None
            if self._random is not None:
                self._order.append(piece)

    def _first(self, works: Collection[Work]) -> Piece | None:
        for piece in self._ready:
            if piece[0] in works:
                del self._ready[piece]
                return piece
        return None

    def _any(self) -> Piece | None:
        if self._random is None or not self._order:
            return None
        chosen = self._random.randrange(len(self._order))
        self._order[chosen], self._order[-1] = self._order[-1], self._order[chosen]
        piece = self._order.pop()
        del self._ready[piece]
        return piece
