"""What Log Analytics knows of a machine: whether its agent has reported."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsTable

from domain.errors import Transient, bounded
from gateway import queries
from gateway.faults import UNANSWERED, read_fault
from gateway.mapping import moment
from gateway.pipeline import Line

# "A table or column of this name does not exist": normal until the first record of its kind has arrived.
_NO_SUCH_TABLE: Final = "SEM0100"


class Logs:
    """Queries by resource: the workspaces behind a machine are Azure's to find."""

    def __init__(self, line: Line) -> None:
        self._client = LogsQueryClient(
            line.credential,
            endpoint=line.settings.logs,
            # Without it the scope would be made of the endpoint.
            audience=line.settings.logs_audience,
            policies=line.logs_policies(),
            transport=line.transport,
        )

    def last_heartbeat(self, vm_id: str, since: datetime) -> datetime | None:
        """Give the newest heartbeat of a machine since a moment, or nothing when there was none.

        Raises:
            Transient: Log Analytics could not answer, or answered in part only.
            Throttled, Refused: as for every read.
        """
        try:
            answer = self._client.query_resource(
                vm_id.lower(), queries.heartbeat_since(vm_id, since), timespan=None, retry_total=0
            )
        except HttpResponseError as error:
            if _lacks_the_table(error):
                return None
            raise read_fault(error) from error
        except UNANSWERED as error:
            raise read_fault(error) from error
        if isinstance(answer, LogsQueryPartialResult):
            raise Transient(bounded(f"partial answer: {answer.partial_error}"))
        return _newest(answer.tables)


def _lacks_the_table(error: HttpResponseError) -> bool:
    return error.status_code == HTTPStatus.BAD_REQUEST and _NO_SUCH_TABLE in (
        error.response.text() if error.response else ""
    )


def _newest(tables: list[LogsTable]) -> datetime | None:
    if not tables or not tables[0].rows:
        return None
    first: Any = tables[0].rows[0]
    newest = first["LastHeartbeat"]
    return moment(newest) if isinstance(newest, datetime) else None
