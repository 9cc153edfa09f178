"""What Log Analytics knows of a machine: whether its agent has reported, and what operators ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryResult, LogsTable

from domain.errors import Transient, bounded
from domain.validation import Beat, Logs, QuerySeen
from gateway import queries
from gateway.faults import UNANSWERED, read_fault
from gateway.ids import resource_group_of
from gateway.mapping import moment
from gateway.pipeline import Line

# "A table or column of this name does not exist": normal until the first record of its kind has arrived.
_NO_SUCH_TABLE: Final = "SEM0100"
_LONGEST_ROW: Final = 200
_Found = tuple[list[LogsTable], Any]


class LogAnalytics:
    """Queries by resource: the workspaces behind a machine are Azure's to find."""

    def __init__(self, line: Line) -> None:
        self._workspace = line.settings.workspace
        self._client = LogsQueryClient(
            line.credential,
            endpoint=line.settings.logs,
            # Without it the scope would be made of the endpoint.
            audience=line.settings.logs_audience,
            policies=line.logs_policies(),
            transport=line.transport,
        )

    def heartbeat(self, vm_id: str, host: str, since: datetime, others: Iterable[str] = ()) -> Logs:
        """Find the newest heartbeat of a machine since a moment: by its resource id, else by its host name.

        Raises:
            Transient: Log Analytics could not answer, or answered in part only and without a heartbeat.
            Throttled, Refused: as for every read.
        """
        found = self._of_resource(vm_id, queries.heartbeat_since(vm_id, since))
        if found is None:
            return Logs(has_table=False)
        last = _newest(found, by_name=False)
        if last is None:
            named = self._by_name(vm_id, queries.heartbeat_by_name(host, since, others))
            last = _newest(named, by_name=True) if named else None
        return Logs(last=last)

    def rows(self, vm_id: str, name: str, kql: str, since: datetime, until: datetime) -> QuerySeen:
        """Ask an operator's query of one machine's own records.

        Raises:
            Transient: Log Analytics could not answer, or answered in part only and without a row.
            Throttled, Refused: as for every read.
        """
        found = self._of_resource(vm_id, queries.of_operator(kql), (since, until))
        if found is None:
            return QuerySeen(name=name, has_table=False)
        tables, partial = found
        rows = tuple(_told(table, row) for table in tables[:1] for row in table.rows)
        if not rows and partial is not None:
            raise _in_part(partial)
        return QuerySeen(name=name, rows=rows)

    def _of_resource(
        self, vm_id: str, query: str, timespan: tuple[datetime, datetime] | None = None
    ) -> _Found | None:
        ask = self._client.query_resource
        return _answer(lambda: ask(vm_id.lower(), query, timespan=timespan, retry_total=0))

    def _by_name(self, vm_id: str, query: str) -> _Found | None:
        """Look beyond the machine's own records: in the named workspace, else in its resource group's."""
        group, workspace = resource_group_of(vm_id), self._workspace
        if workspace is not None:
            ask = self._client.query_workspace
            return _answer(lambda: ask(workspace, query, timespan=None, retry_total=0))
        return self._of_resource(group, query) if group else None


def _answer(ask: Callable[[], LogsQueryResult | LogsQueryPartialResult]) -> _Found | None:
    """Give the tables of an answer, and the error that came beside them; nothing where nothing was logged yet."""
    try:
        answer = ask()
    except HttpResponseError as error:
        if _is_not_there(error):
            return None
        raise read_fault(error) from error
    except UNANSWERED as error:
        raise read_fault(error) from error
    if isinstance(answer, LogsQueryPartialResult):
        return answer.partial_data, answer.partial_error or "no error was named"
    return answer.tables, None


def _is_not_there(error: HttpResponseError) -> bool:
    """Tell whether nothing has been logged yet: no table, or no workspace that the machine reports to."""
    text = error.response.text() if error.response else ""
    lacks_the_table = error.status_code == HTTPStatus.BAD_REQUEST and _NO_SUCH_TABLE in text
    return lacks_the_table or error.status_code == HTTPStatus.NOT_FOUND


def _newest(found: _Found, *, by_name: bool) -> Beat | None:
    tables, partial = found
    first: Any = tables[0].rows[0] if tables and tables[0].rows else None
    at = moment(first["LastHeartbeat"]) if first and isinstance(first["LastHeartbeat"], datetime) else None
    if at is not None:
        # A part that holds a heartbeat proves it, whatever is missing.
        return Beat(at=at, computer=str(first["Computer"] or ""), by_name=by_name)
    if partial is not None:
        raise _in_part(partial)
    return None


def _told(table: LogsTable, row: Any) -> str:
    pairs = (
        f"{column}={value}" for column, value in zip(table.columns, row, strict=True) if value not in {None, ""}
    )
    return bounded(", ".join(pairs), _LONGEST_ROW)


def _in_part(error: object) -> Transient:
    return Transient(bounded(f"partial answer: {error}"))
