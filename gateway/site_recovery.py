"""One vault's Site Recovery: its machines, their recovery points and jobs, and the six acts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from azure.core import AzureClouds
from azure.core.paging import ItemPaged
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse

from domain.contract import RecoveryPoint
from domain.errors import Refusal, Undecided
from domain.lifecycle import ACTS, Act
from domain.machine import JobSnapshot, MachineDetails, MachineSnapshot, last_segment, same_id
from domain.settings import Cloud
from gateway import bodies, mapping
from gateway.faults import UNANSWERED, Refused, act_fault, reading
from gateway.ids import ItemId, VaultId
from gateway.lazy import Lazy
from gateway.pipeline import ACT_TIMEOUT, PAGES_BUDGET, ArmReader, Line, within

if TYPE_CHECKING:
    import azure.mgmt.recoveryservicessiterecovery as sdk
    from azure.mgmt.recoveryservicessiterecovery import models
else:
    sdk = Lazy("azure.mgmt.recoveryservicessiterecovery")
    models = Lazy("azure.mgmt.recoveryservicessiterecovery.models")

# The version that the SDK asks for; the list of items is read beside it.
API_VERSION: Final = "2025-08-01"

# A job's start time is the service's, `since` may be that of another of its front ends.
CLOCKS_APART: Final = timedelta(minutes=5)
# Named here so that azure-core does not read AZURE_CLOUD, which it spells in another way.
_CLOUDS: Final = {
    Cloud.PUBLIC: AzureClouds.AZURE_PUBLIC_CLOUD,
    Cloud.US_GOVERNMENT: AzureClouds.AZURE_US_GOVERNMENT,
    Cloud.CHINA: AzureClouds.AZURE_CHINA_CLOUD,
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an act is asked with, beyond the machine itself."""

    act: Act
    request_id: str
    point: str | None = None
    network: str | None = None
    shut_down_source: bool = False
    cache: str | None = None
    comment: str = ""
    disks: tuple[bodies.LiveDisk, ...] = ()


class SiteRecovery:
    """The vault as Site Recovery shows it; safe to share between threads."""

    def __init__(self, vault: VaultId, line: Line) -> None:
        self.vault = vault
        self._client = sdk.SiteRecoveryManagementClient(
            line.credential,
            vault.subscription,
            base_url=line.settings.arm,
            cloud_setting=_CLOUDS[line.settings.cloud],
            credential_scopes=[line.settings.arm_scope],
            policies=line.arm_policies(),
            transport=line.transport,
        )
        self._in_vault = (vault.resource_group, vault.name)
        self._reader = ArmReader(line)
        self._clock = line.clock

    def now(self) -> datetime:
        """Give the time by Azure's clock."""
        return self._clock.now()

    # -- machines ---------------------------------------------------------------------------------------------

    def machines(self, names: Collection[str] | None = None) -> tuple[MachineDetails, ...]:
        """Read every Azure VM that the vault protects, page after page.

        Args:
            names: the items that are wanted, in lower case; the others of a large vault are passed over unread,
                for the SDK's models of them would take most of a look's time. Without names, all.
        """
        listed = self._reader.each(f"{self.vault}/replicationProtectedItems", API_VERSION)
        wanted = (item for item in listed if names is None or str(item.get("name")).casefold() in names)
        found = (mapping.machine(models.ReplicationProtectedItem(item)) for item in wanted)
        return tuple(machine for machine in found if machine is not None)

    def machine(self, item_id: str) -> MachineDetails:
        """Read one machine where it was last seen.

        Raises:
            Refused: among others with status 404, when it is not there any more.
        """
        place = ItemId.parse(item_id)
        with reading():
            item = self._client.replication_protected_items.get(
                *self._in_vault, place.fabric, place.container, place.name
            )
        found = mapping.machine(item)
        if found is None:
            raise Refused(_not_azure_to_azure(place.name))
        return found

    def follow(self, name: str, item_id: str, lifecycle_id: str | None) -> MachineDetails | None:
        """Read a machine wherever it is now, or nothing when the vault has lost it.

        Re-protection moves the item: same name and lifecycle id, new ARM id under the other container.
        """
        try:
            return self.machine(item_id)
        except Refused as refused:
            if not refused.is_not_found:
                raise
        return pick(self.machines({name.casefold()}), name, item_id, lifecycle_id)

    def points(self, item_id: str) -> tuple[RecoveryPoint, ...]:
        """List a machine's recovery points, in the order of the service, which is none."""
        place = ItemId.parse(item_id)
        listed = self._client.recovery_points.list_by_replication_protected_items(
            *self._in_vault, place.fabric, place.container, place.name
        )
        found = (mapping.point(each) for each in _pages(listed, f"the recovery points of {place.name}"))
        return tuple(point for point in found if point is not None)

    # -- jobs -------------------------------------------------------------------------------------------------

    def job(self, job_id: str) -> JobSnapshot | None:
        """Read a job with its tasks and errors, or nothing when Azure does not know it."""
        try:
            with reading():
                return mapping.job(self._client.replication_jobs.get(*self._in_vault, last_segment(job_id)))
        except Refused as refused:
            if refused.is_not_found:
                return None
            raise

    def jobs(self) -> Iterator[JobSnapshot]:
        """List the vault's jobs, without tasks, errors and request ids, which the list leaves out.

        No `$filter` is sent: what it means here is not documented, and a job wrongly left out would be
        started a second time.
        """
        listed = self._client.replication_jobs.list(*self._in_vault)
        return (mapping.job(each) for each in _pages(listed, "the vault's jobs"))

    def find_job(
        self,
        request_id: str,
        machine: MachineSnapshot,
        act: Act,
        since: datetime,
        listed: Callable[[], Iterable[JobSnapshot]] | None = None,
    ) -> JobSnapshot | None:
        """Find the job that a request id started, or nothing when there surely is none.

        First the job that holds the item, then every job of this scenario and machine begun since then, of those
        that are `listed`, or of the vault's own list.
        """
        holding = self.job(machine.job) if machine.job else None
        if holding is not None and was_started_by(holding, request_id):
            return holding
        for candidate in (listed or self.jobs)():
            if _may_be(candidate, machine, act, since) and not same_id(candidate.id, machine.job):
                job = self.job(candidate.id)
                if job is not None and was_started_by(job, request_id):
                    return job
        return None

    # -- acts -------------------------------------------------------------------------------------------------

    def start(self, machine: MachineDetails, asked: Asked) -> str:
        """Ask for an act, once, and give the id of its job.

        Raises:
            Refused: Azure said no. Throttled, Transient: nothing was started. Undecided: nobody knows.
        """
        accepted: list[str] = []
        try:
            self._operation(machine, asked)(
                retry_total=0,
                polling=False,
                read_timeout=ACT_TIMEOUT,
                request_id=asked.request_id,
                raw_response_hook=partial(_note_job, self.vault, accepted),
            )
        except UNANSWERED as error:
            # The headers of a 202 decide, even if the rest of the answer got lost.
            if not accepted:
                raise act_fault(error) from error
        if not accepted:
            raise Undecided(f"{ACTS[asked.act].words} was accepted, but the answer names no job")
        return accepted[0]

    def _operation(self, machine: MachineDetails, asked: Asked) -> _Operation:
        """Bind the SDK's call for an act to its place and body."""
        place = ItemId.parse(machine.snapshot.id)
        container = (*self._in_vault, place.fabric, place.container)
        item = (*container, place.name)
        calls = self._client.replication_protected_items
        match asked.act:
            case Act.TEST_FAILOVER:
                body = bodies.test_failover(_needed(asked.network, "network"), asked.point)
                return partial(calls.begin_test_failover, *item, body)
            case Act.CLEAN_UP:
                return partial(calls.begin_test_failover_cleanup, *item, bodies.clean_up(asked.comment))
            case Act.FAIL_OVER:
                body = bodies.fail_over(asked.point, shut_down_source=asked.shut_down_source)
                return partial(calls.begin_unplanned_failover, *item, body)
            case Act.CHANGE_POINT:
                body = bodies.change_point(_needed(asked.point, "point"))
                return partial(calls.begin_apply_recovery_point, *item, body)
            case Act.COMMIT:
                return partial(calls.begin_failover_commit, *item)
            case Act.REPROTECT:
                body = bodies.reprotect(machine, asked.disks, _needed(asked.cache, "cache"))
                switch = self._client.replication_protection_containers.begin_switch_protection
                return partial(switch, *container, body)


class _Operation(Protocol):
    """The SDK's `begin_...` with everything bound but the keywords of the pipeline."""

    def __call__(
        self,
        *,
        retry_total: int,
        polling: bool,
        read_timeout: float,
        request_id: str,
        raw_response_hook: Callable[[PipelineResponse[HttpRequest, HttpResponse]], None],
    ) -> object: ...


def pick(
    machines: Iterable[MachineDetails], name: str, item_id: str, lifecycle_id: str | None
) -> MachineDetails | None:
    """Find a machine in a vault's list: by id, else by name and lifecycle id.

    The lifecycle id is absent while a re-protected machine makes its first copy, so an absent one proves
    nothing; another one is another machine that took the name.
    """
    named = [each for each in machines if each.snapshot.name.casefold() == name.casefold()]
    here = [each for each in named if same_id(each.snapshot.id, item_id)]
    same = [each for each in named if lifecycle_id and each.snapshot.lifecycle_id == lifecycle_id]
    unproven = [each for each in named if not (lifecycle_id and each.snapshot.lifecycle_id)]
    return next(iter((*here, *same, *unproven)), None)


def was_started_by(job: JobSnapshot, request_id: str) -> bool:
    """Tell whether a job's activity begins with this client request id."""
    return (job.request_id or "").casefold() == request_id.casefold()


def job_id_of(response: HttpResponse, vault: VaultId) -> str | None:
    """Give the id of the job that an accepted act started.

    `x-ms-request-id` is the job's ARM id, sent twice and joined by a comma; else the operation's URLs end
    with the job's name. The URLs are never followed: they carry a signature and need rights of their own.
    """
    named = (response.headers.get("x-ms-request-id") or "").split(",", 1)[0].strip()
    if "/replicationjobs/" in named.casefold():
        return named
    url = response.headers.get("Azure-AsyncOperation") or response.headers.get("Location")
    return f"{vault}/replicationJobs/{last_segment(url)}" if url else None


def _note_job(vault: VaultId, accepted: list[str], answer: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    response = answer.http_response
    job_id = job_id_of(response, vault) if response.status_code in {200, 202} else None
    if job_id:
        accepted.append(job_id)


def _may_be(candidate: JobSnapshot, machine: MachineSnapshot, act: Act, since: datetime) -> bool:
    names = {machine.vm_name.casefold(), machine.name.casefold(), ""}
    return (
        candidate.scenario == ACTS[act].scenario
        and candidate.target.casefold() in names
        and (candidate.started is None or candidate.started >= since - CLOCKS_APART)
    )


def _pages(listed: ItemPaged[T], what: str) -> Iterator[T]:
    deadline = time.monotonic() + PAGES_BUDGET
    with reading():
        for page in listed.by_page():
            within(deadline, what)
            yield from page


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise ValueError(f"this act needs a {name}")
    return value


def _not_azure_to_azure(name: str) -> Refusal:
    return Refusal(
        code="NotAzureToAzure",
        what=f"{name} is not an Azure virtual machine replicated to Azure",
        remedy="fail it back with the tools of its own provider",
    )
