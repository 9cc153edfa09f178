"""A task of .NET, as far as the second replay needs one: done or not, and who waits for it."""

from collections.abc import Callable, Sequence


class Pending:
    """Something that will be done once, and then calls whoever waited, at once and in order."""

    __slots__ = ("_waiting", "failed", "is_done")

    def __init__(self, *, is_done: bool = False) -> None:
        self.is_done = is_done
        self.failed = False
        self._waiting: list[Callable[[], None]] = []

    def finish(self, *, failed: bool = False) -> None:
        """Be done; a second time has no effect."""
        if self.is_done:
            return
        self.is_done = True
        self.failed = failed
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def then(self, call: Callable[[], None]) -> None:
        """Call when done, or now if it is."""
        if self.is_done:
            call()
        else:
            self._waiting.append(call)


def when_all(children: Sequence[Pending]) -> Pending:
    """Answer a task that is done when every child is, whether it failed or not (Task.WhenAll)."""
    whole = Pending()
    open_children = len(children)

    def one_done() -> None:
        nonlocal open_children
        open_children -= 1
        if open_children == 0:
            whole.finish()

    if not children:
        whole.finish()
    for child in children:
        child.then(one_done)
    return whole


def when_any(children: Sequence[Pending]) -> Pending:
    """Answer a task that is done when the first child is (Task.WhenAny)."""
    whole = Pending(is_done=not children)
    for child in children:
        child.then(whole.finish)
    return whole
