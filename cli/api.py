"""The HTTP API of failback, as a caller sees it; every way it can go wrong is one exception."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import requests

Document = dict[str, Any]

FAILED, REFUSED, UNREACHABLE = 1, 2, 3
"""Exit codes: a run that did not reach its aim, a request that was refused, an app that does not answer."""

# A connection is made at once or not at all; answers may take as long as a plan of a large estate.
CONNECT_WITHIN: Final = 10.0
ANSWER_WITHIN: Final = 240.0
TRIES: Final = 3
# An app on this machine is there or not; one far away may be changing its instance.
_PAUSE_NEAR, _PAUSE_FAR = 0.2, 2.0
_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE: Final = 10.0
_LONGEST_TEXT: Final = 300
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def part(document: Mapping[str, Any], name: str) -> Document:
    """Give an object inside a document; an empty one where there is none, for every key may be absent."""
    found = document.get(name)
    return cast("Document", found) if isinstance(found, dict) else {}


def parts(document: Mapping[str, Any], name: str) -> list[Document]:
    """Give the objects of a list inside a document; none where there is none."""
    found = document.get(name)
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("Document", each) for each in listed if isinstance(each, dict)]


def texts(document: Mapping[str, Any], name: str) -> list[str]:
    """Give the texts of a list inside a document; none where there is none."""
    found = document.get(name)
    return [str(each) for each in cast("list[Any]", found)] if isinstance(found, list) else []


def text(document: Mapping[str, Any], name: str) -> str:
    """Give one value of a document as text; an empty one where there is none."""
    found = document.get(name)
    return "" if found is None else str(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request, and what would help."""

    about: str = ""
    what: str = ""
    remedy: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why an answer was not what was hoped for."""

    title: str
    status: int = 0
    detail: str = ""
    faults: tuple[Fault, ...] = ()
    holder: str | None = None

    def to_json(self) -> Document:
        """Give the problem as a program wants it."""
        faults = [{"about": f.about, "what": f.what, "remedy": f.remedy, "code": f.code} for f in self.faults]
        known = {"status": self.status or None, "detail": self.detail or None, "holder": self.holder}
        return {"title": self.title, **{name: value for name, value in known.items() if value}, "faults": faults}


class TroubleError(Exception):
    """A call that did not work out: `problem` says why, `exit_code` what the command ends with."""

    def __init__(self, problem: Problem, exit_code: int = REFUSED) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.exit_code = exit_code


def refuse(title: str, detail: str = "") -> TroubleError:
    """Word a refusal of our own, before anything was asked of anybody."""
    return TroubleError(Problem(title=title, detail=detail), REFUSED)


def unreachable(title: str, detail: str = "") -> TroubleError:
    """Word that nobody answers."""
    return TroubleError(Problem(title=title, detail=detail), UNREACHABLE)


class Failbacks:
    """The runs of one app, at its base address, with or without `/api` behind it.

    A token and a key go over https only, or to this very machine, and never to where an answer redirects.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        person: str | None = None,
        token: str | None = None,
        roles: str | None = None,
        pause: float | None = None,
    ) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        self.is_local = parts.hostname in _LOOPBACK
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise refuse("that is no address of an app", f"{url!r}: expected https://<app>.azurewebsites.net")
        if (key or token) and parts.scheme == "http" and not self.is_local:
            what = "key" if key else "token"
            raise refuse(f"a {what} goes over https only", f"{url!r} would send it in the clear")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._api = f"{self.url}{parts.path.rstrip('/').removesuffix('/api')}/api"
        self._pause = pause if pause is not None else _PAUSE_NEAR if self.is_local else _PAUSE_FAR
        self._session = requests.Session()
        # A proxy cannot reach this machine, and must not see what is said to it.
        self._session.trust_env = not self.is_local
        self._session.headers["User-Agent"] = "failback-cli"
        self._session.headers.update({"x-functions-key": key} if key else {})
        self._session.headers.update({"Authorization": f"Bearer {token}"} if token else {})
        self._session.headers.update({"X-Failback-Roles": roles} if roles is not None else {})
        # An app on this machine takes people's word for who they are, and wants one.
        person = person or (_user() if self.is_local else None)
        self._session.headers.update({"X-Failback-User": person} if person else {})

    def start(self, request: Mapping[str, Any], key: str) -> Document:
        """Start a run; the idempotency key makes it safe to ask again when the answer was lost."""
        return self._ask("POST", "failbacks", request, headers={"Idempotency-Key": key}, tries=TRIES)

    def plan(self, request: Mapping[str, Any]) -> Document:
        """Say what a run would do, changing nothing."""
        return self._ask("POST", "failbacks/plan", request, tries=TRIES)

    def runs(self) -> list[Document]:
        """List the runs, newest first."""
        return parts(self._ask("GET", "failbacks"), "runs")

    def run(self, run: str, *, tries: int = TRIES) -> Document:
        """Show one run as it is now."""
        return self._ask("GET", f"failbacks/{quote(run, safe='')}", tries=tries)

    def decide(self, run: str, decision: Mapping[str, Any], person: str | None = None) -> Document:
        """Send a person's decision; its key makes it safe to ask again when the answer was lost."""
        headers = {"Idempotency-Key": uuid.uuid4().hex} | ({"X-Failback-User": person} if person else {})
        return self._ask("POST", f"failbacks/{quote(run, safe='')}/decisions", decision, headers=headers)

    def steer(self, run: str, how: str, reason: str) -> Document:
        """Ask a run to `cancel`, `pause` or `resume` at its next safe point."""
        return self._ask("POST", f"failbacks/{quote(run, safe='')}/{how}", {"reason": reason})

    def report(self, run: str) -> Document:
        """Give the report of a finished run."""
        return self._ask("GET", f"failbacks/{quote(run, safe='')}/report")

    def report_as(self, run: str, form: str) -> str:
        """Give the report as html or markdown."""
        answer = self._send("GET", f"failbacks/{quote(run, safe='')}/report", params={"format": form})
        answer.encoding = "utf-8"
        return answer.text

    def left_overs(self, vault: str | None) -> Document:
        """Give what tests left behind; looking takes a moment."""
        return self._ask("GET", "leftovers", params={"vault": vault} if vault else None)

    def drills(self) -> Document:
        """Give the calendar of drills, and how those that were held went."""
        return self._ask("GET", "drills")

    def evidence(self, run: str) -> str:
        """Give the records of a run's evidence as JSON Lines, as the store has them."""
        answer = self._send("GET", f"failbacks/{quote(run, safe='')}/evidence")
        answer.encoding = "utf-8"
        return answer.text

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **how: Any) -> Document:
        answer = self._send(method, path, json=body, **how)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise unreachable(
                "this does not look like a failback app", f"{self._api}/{path} answered no JSON object"
            )
        return cast("Document", document)

    def _send(self, method: str, path: str, *, tries: int = TRIES, **how: Any) -> requests.Response:
        """Send a request, again when it may be repeated and the other side could not answer just now."""
        while True:
            tries -= 1
            try:
                answer = self._session.request(
                    method,
                    f"{self._api}/{path}",
                    timeout=(CONNECT_WITHIN, ANSWER_WITHIN),
                    allow_redirects=False,
                    **how,
                )
            except requests.RequestException as error:
                if tries > 0:
                    time.sleep(self._pause)
                    continue
                raise unreachable(f"{self.url} does not answer", _cause(error)) from None
            if answer.status_code in _TRY_AGAIN and tries > 0:
                time.sleep(min(_retry_after(answer) or self._pause, _LONGEST_PAUSE))
                continue
            if not answer.ok or answer.is_redirect:
                raise _trouble(answer)
            return answer


def _user() -> str:
    """Name whoever is logged in at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _retry_after(answer: requests.Response) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else None


def _cause(error: requests.RequestException) -> str:
    """Find the plain words inside a pile of wrapped exceptions."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return str(inner)[:_LONGEST_TEXT] or type(inner).__name__


def _trouble(answer: requests.Response) -> TroubleError:
    problem = _problem(answer)
    cannot_now = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code in _TRY_AGAIN
    return TroubleError(problem, UNREACHABLE if cannot_now else REFUSED)


def _problem(answer: requests.Response) -> Problem:
    """Read a problem document; what is none is told by its status."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or "title" not in document:
        return Problem(
            title=f"the app answered {answer.status_code} {answer.reason}",
            status=answer.status_code,
            detail=_HINTS.get(answer.status_code, ""),
        )
    known = cast("Document", document)
    return Problem(
        title=text(known, "title"),
        status=answer.status_code,
        detail=text(known, "detail"),
        faults=tuple(_fault(each) for each in parts(known, "faults")),
        holder=text(known, "holder") or None,
    )


_HINTS: Final[Mapping[int, str]] = {
    401: "give a token of the app's tenant with --token or FAILBACK_TOKEN",
    403: "this person may not do that",
    404: "no failback app is served there: look at --url",
}


def _fault(document: Mapping[str, Any]) -> Fault:
    return Fault(**{name: text(document, name) for name in ("about", "what", "remedy", "code")})
