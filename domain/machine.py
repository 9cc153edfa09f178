"""What is seen of a machine and of a Site Recovery job at one moment.

Field meanings are those of Site Recovery's ReplicationProtectedItem and Job (api-version 2025-08-01). Ids are
kept as Azure spelt them; compare them with `same_id`, for Azure changes their case from call to call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.wire import Answer, digest


def same_id(one: str | None, other: str | None) -> bool:
    """Tell whether two ARM ids name the same thing: letter case and a last slash mean nothing."""
    return (one or "").rstrip("/").casefold() == (other or "").rstrip("/").casefold()


def last_segment(arm_id: str) -> str:
    """Give the last name of an ARM id.

    Recovery point ids carry the container's GUID in one place and its name in another; only the last
    segment can be compared.
    """
    return arm_id.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]


def region(name: str | None) -> str:
    """Give a region's short name: "Central US" and "centralus" are the same place."""
    return (name or "").replace(" ", "").casefold()


class HealthError(Answer):
    """One of the service's own complaints about a machine."""

    code: str
    level: str
    category: str
    message: str
    causes: str = ""
    action: str = ""
    resolvable: bool = True


class MachineSnapshot(Answer):
    """One machine as Site Recovery showed it at one look; small, for it enters history.

    `home` and `away` are where it lived before the disaster and where it was failed over to
    (initialPrimaryFabricLocation, initialRecoveryFabricLocation); `primary` and `recovery` are the two sides
    of its replication now, which swap at every re-protection. `scenario` and `job` name the job that holds
    the item, and are absent when it is idle. `point` is the last segment of failoverRecoveryPointId.
    """

    id: str
    name: str
    vm_name: str
    lifecycle_id: str | None = None
    home: str
    away: str
    primary: str
    recovery: str
    protection_state: str
    protection_words: str = ""
    active_location: str = "Primary"
    test_failover_state: str = "None"
    allowed: tuple[str, ...] = ()
    scenario: str | None = None
    job: str | None = None
    replication_health: str = "Normal"
    sync_percent: int | None = None
    rpo: timedelta | None = None
    point: str | None = None
    # Compute's ids of the machine at the source, of the one made at the target, and of the test one.
    source_vm: str | None = None
    target_vm: str | None = None
    test_vm: str | None = None

    @property
    def mark(self) -> str:
        """A short fingerprint: two looks with the same mark saw the same thing."""
        seen = self.to_wire()
        # The measured lag moves with every look and changes no decision.
        seen.pop("rpo", None)
        return digest(seen)[:12]


class TaskSnapshot(Answer):
    """One step inside a Site Recovery job."""

    name: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None


class JobError(Answer):
    """One error of a failed job, in the service's words."""

    code: str
    message: str
    causes: str = ""
    action: str = ""
    task: str = ""


# The states of a job that goes on; tasks use "Other" for "skipped", and a job that says so may still go on.
UNDER_WAY = frozenset({"NotStarted", "InProgress", "Suspended", "Cancelling", "Other"})
SUCCEEDED = frozenset({"Succeeded", "CompletedWithInformation"})


class JobSnapshot(Answer):
    """One Site Recovery job as it was at one look.

    `request_id` is the client request id that the job's activityId begins with: it proves who started it.
    `point` and `point_time` are the recovery point a failover really used; `moved_to` is the new id that a
    re-protection gave the protected item.
    """

    id: str
    scenario: str
    state: str
    words: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    request_id: str | None = None
    target: str = ""
    tasks: tuple[TaskSnapshot, ...] = ()
    errors: tuple[JobError, ...] = ()
    point: str | None = None
    point_time: datetime | None = None
    moved_to: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen in this job.

        Not every end state is documented, nor spelt one way: what is not known to go on has ended. Looking again
        finds out about a job that goes on all the same, and starts no second one.
        """
        return self.state not in UNDER_WAY or (self.state == "Other" and self.ended is not None)

    @property
    def succeeded(self) -> bool:
        """Whether the job says it did what was asked."""
        return self.state in SUCCEEDED

    @property
    def running_task(self) -> str:
        """The name of the task that runs now, or nothing."""
        return next((task.name for task in self.tasks if task.state == "InProgress"), "")

    @property
    def mark(self) -> str:
        """A short fingerprint: two looks with the same mark saw the same thing."""
        return digest(self.to_wire())[:12]


class Disk(Answer):
    """One replicated managed disk, and where its copy goes."""

    id: str
    name: str = ""
    target_resource_group: str | None = None
    replica_type: str | None = None
    target_type: str | None = None
    staging_account: str | None = None
    target_disk: str | None = None
    # What its copy is called in a test.
    test_name: str = ""
    encryption_set: str | None = None


class Wiring(Answer):
    """How one network card is connected, by its first IP configuration.

    In an expectation what is absent was left open: an address is then given out by the network. `network`,
    `security_group`, `pools` and `public_address` are ARM ids.
    """

    name: str | None = None
    network: str | None = None
    subnet: str | None = None
    address: str | None = None
    security_group: str | None = None
    pools: tuple[str, ...] = ()
    public_address: str | None = None


class PlannedCard(Answer):
    """One network card as Site Recovery is told to make it: by a failover, and by a test."""

    failover: Wiring = Wiring()
    test: Wiring = Wiring()


class MachineDetails(Answer):
    """What planning and re-protection need to know of a machine beyond the snapshot; never enters history."""

    snapshot: MachineSnapshot
    policy: str | None = None
    container: str
    recovery_container: str | None = None
    source_resource_group: str | None = None
    # The availability zone on the source side, where a re-protected machine comes back to.
    source_zone: str | None = None
    target_resource_group: str | None = None
    target_size: str | None = None
    source_network: str | None = None
    target_network: str | None = None
    test_network: str | None = None
    # What the machine is called in a test.
    test_name: str | None = None
    multi_vm_group: str | None = None
    disks: tuple[Disk, ...] = ()
    # The network cards to be made, the primary one first.
    cards: tuple[PlannedCard, ...] = ()
    health_errors: tuple[HealthError, ...] = ()
    last_test_failover: datetime | None = None
    last_failover: datetime | None = None
    # The virtual machine's tags as Site Recovery last synchronised them, names in lower case; no list tells them.
    tags: dict[str, str] = {}
